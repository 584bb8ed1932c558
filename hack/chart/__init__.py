"""What renders and proves the chart: helm and promtool, in the user's cache."""
