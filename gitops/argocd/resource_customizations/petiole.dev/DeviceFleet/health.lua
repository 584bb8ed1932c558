-- A fleet is Degraded when a person has to act: also after it took a revision back by itself.
local function condition(kind)
  for _, found in ipairs(obj.status.conditions or {}) do
    if found.type == kind then
      return found
    end
  end
  return {}
end

if obj.metadata.deletionTimestamp ~= nil then
  return {status = "Progressing", message = "The fleet is being deleted"}
end
if obj.status == nil or obj.status.observedGeneration ~= obj.metadata.generation then
  return {status = "Progressing", message = "The operator has not looked at the newest spec yet"}
end

local degraded, stalled = condition("Degraded"), condition("Stalled")
-- Single devices that failed after a revision was proven are told of, no more.
local failed = degraded.status == "True" and degraded.reason ~= "DevicesFailed"
if failed and stalled.status == "True" and stalled.reason == "RevisionFailed" then
  return {status = "Degraded", message = degraded.message .. " " .. stalled.message}
end
if stalled.status == "True" then
  return {status = "Degraded", message = stalled.message}
end
if failed then
  return {status = "Degraded", message = degraded.message}
end

local waiting = obj.status.waitingFor or {}
if waiting.reason == "Held" or waiting.reason == "ApprovalNeeded" then
  return {status = "Suspended", message = waiting.message}
end
if condition("Ready").status == "True" then
  local message = obj.status.message
  if degraded.status == "True" then
    message = message .. "; " .. degraded.message
  end
  return {status = "Healthy", message = message}
end
return {status = "Progressing", message = waiting.message or obj.status.message}
