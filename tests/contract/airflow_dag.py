"""Airflow's operator for Lambda, unchanged but for the address in its connection, against a started service."""

from datetime import datetime

from airflow.providers.amazon.aws.operators.lambda_function import LambdaInvokeFunctionOperator
from airflow.sdk import DAG

# The client must not invoke again what only takes long.
PATIENT = {"retries": {"total_max_attempts": 1}, "read_timeout": 900}


def invocation(function: str, payload: str) -> LambdaInvokeFunctionOperator:
    return LambdaInvokeFunctionOperator(
        task_id=function, function_name=function, payload=payload, log_type="Tail", botocore_config=PATIENT
    )


with DAG("compaction", schedule=None, start_date=datetime(2026, 1, 1)) as compaction:
    invocation("compact", "{}") >> invocation("settle", "{}")

with DAG("failing", schedule=None, start_date=datetime(2026, 1, 1)) as failing:
    invocation("replay", '{"source": "nonsense"}')

if __name__ == "__main__":
    run = compaction.test()
    results = [task.xcom_pull(task.task_id) for task in run.get_task_instances()]
    assert run.state == "success" and all("versions" in text or "rows" in text for text in results), (run.state, results)
    assert failing.test().state == "failed"
    print("Airflow's operator: invocations succeed in order, a function's error fails its task")
