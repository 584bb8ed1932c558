"""An installation by the chart on a real node: its images, its volumes, and who installs it."""
