-- A model is Healthy when a version is there and no round is under way, also when the last
-- candidate was rejected: devices keep what they have.
local function condition(kind)
  for _, found in ipairs(obj.status.conditions or {}) do
    if found.type == kind then
      return found
    end
  end
  return {}
end

if obj.metadata.deletionTimestamp ~= nil then
  return {status = "Progressing", message = "The model is being deleted"}
end
if obj.status == nil or obj.status.observedGeneration ~= obj.metadata.generation then
  return {status = "Progressing", message = "The operator has not looked at the newest spec yet"}
end
if condition("Stalled").status == "True" then
  return {status = "Degraded", message = condition("Stalled").message}
end
if condition("Ready").status == "True" then
  local message = obj.status.message
  local rejected = condition("Rejected")
  if rejected.status == "True" then
    message = message .. "; the last candidate was rejected: " .. rejected.message
  end
  return {status = "Healthy", message = message}
end
return {status = "Progressing", message = obj.status.message}
