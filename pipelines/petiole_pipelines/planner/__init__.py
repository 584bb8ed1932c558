"""From an int8 TensorFlow Lite model to the planned model that a device runs.

`plan` fixes everything that can be known before the device sees the model: the order, the place of
every tensor in the arena, the fixed-point multipliers. The bytes are specified in
`docs/model-format.md`; `firmware/core/nn.h` runs them. `golden` asks tflite-micro, whose answers
the device must equal bit for bit.
"""

from petiole_pipelines.planner.format import ABI, Kind, PlannedModel
from petiole_pipelines.planner.graph import PlanError
from petiole_pipelines.planner.plan import plan
from petiole_pipelines.planner.reference import Reference, golden

__all__ = ["ABI", "Kind", "PlanError", "PlannedModel", "Reference", "golden", "plan"]
