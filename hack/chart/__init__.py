"""What renders and proves the chart: helm and Prometheus' programs, and its dashboard."""
