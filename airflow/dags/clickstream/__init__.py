"""What the DAGs of Clickstream share: invocations of functions, payloads, settings, alerts."""
