"""The operator process: a kopf edge before a work queue, pure reconciles, and their actions."""
