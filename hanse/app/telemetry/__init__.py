"""What an operator sees of a running district: logs, metrics, traces. Nothing in them says who somebody is.

`logs.py` writes lines; `watch.py` watches the writer; `meters.py` counts (what is read only when asked for stands in
`hanse.app.http.metrics`); `tracing.py` and `export.py` speak OpenTelemetry, where it is installed.
"""
