-- What the operator would refuse is disabled. It judges again when it is asked.
local status = obj.status or {}
local mode = status.mode or "Idle"

local function given_up(revision)
  return revision ~= nil and (revision.failed or 0) ~= 0 and revision.failed == revision.target
end

local current = status.revision or {}
if status.kind == "Firmware" then
  current = status.firmware or {}
end

local gate_failed = false
for _, gate in ipairs(status.gates or {}) do
  gate_failed = gate_failed or gate.verdict == "Fail"
end

local under_way = mode == "Rolling" or mode == "Paused"
local stopped = given_up(current) or gate_failed
local going = under_way and not stopped

local counts = status.counts or {}
local stages = obj.spec.rollout.stages
local stage = status.stage or {}
local last = stage.rollback == true
if stages ~= nil then
  last = last or (stage.index or 0) >= #stages - 1
else -- a ramp ends where it allows all
  last = last or (stage.limit or 0) >= (counts.total or 0)
end

-- What is held may wait for something else as well, and names that.
local waits_for_a_person = {ApprovalNeeded = true, Inconclusive = true}
local reason = (status.waitingFor or {}).reason or ""

local again = mode == "Paused" and stopped
if mode == "Idle" then
  again = given_up(status.revision) or given_up(status.firmware)
elseif going then
  again = (counts.failed or 0) > 0
end

return {
  pause = {disabled = status.held == true, displayName = "Pause", iconClass = "fa fa-fw fa-pause"},
  resume = {
    disabled = status.held ~= true and not waits_for_a_person[reason],
    displayName = "Resume",
    iconClass = "fa fa-fw fa-play",
  },
  skip = {
    disabled = not going or stage.skipped == true,
    displayName = "Skip the stage's soak",
    iconClass = "fa fa-fw fa-step-forward",
  },
  promote = {
    disabled = not going or last,
    displayName = "Promote to all devices",
    iconClass = "fa fa-fw fa-fast-forward",
  },
  abort = {
    disabled = not under_way or ((current.stable or 0) == 0 and given_up(current)),
    displayName = "Abort and take back",
    iconClass = "fa fa-fw fa-undo",
  },
  retry = {disabled = not again, displayName = "Retry", iconClass = "fa fa-fw fa-redo"},
}
