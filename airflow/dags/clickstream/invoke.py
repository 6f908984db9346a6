"""A function invoked by the provider's operator, on AWS or at a host: once a try, its error as a sentence."""

from __future__ import annotations

import json
from typing import Any

from airflow.providers.amazon.aws.operators.lambda_function import LambdaInvokeFunctionOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException
from botocore.exceptions import ClientError

CONNECTION = "clickstream"
#: What stands before the name of each function: nothing on a host, the stack's name and a hyphen on AWS.
PREFIX = "{{ var.value.get('clickstream_function_prefix', '') }}"
#: botocore sends an invocation again by itself, after time-outs and after 500: the second would run beside the first. A
#: function ends within 15 minutes. Gateways forget a silent connection sooner, unless it is kept alive.
ONCE = {"retries": {"total_max_attempts": 1}, "connect_timeout": 10, "read_timeout": 920, "tcp_keepalive": True}

#: Refusals that the next try would meet again, and what to look at.
REFUSED = {
    "ResourceNotFoundException": "is the Variable clickstream_function_prefix right?",
    "InvalidSignatureException": (
        f"are login and password of the connection {CONNECTION} the host's INVOKE_ACCESS_KEY_ID and INVOKE_SECRET_ACCESS_KEY?"
    ),
    "UnrecognizedClientException": f"is the key of the connection {CONNECTION} known to AWS?",
    "AccessDeniedException": f"may the key of the connection {CONNECTION} do lambda:InvokeFunction?",
    "InvalidRequestContentException": "the payload is not JSON",
    "RequestTooLargeException": "the payload is too large",
}


class InvokeFunction(LambdaInvokeFunctionOperator):
    """Invokes `function` with `payload` and returns what it answered.

    :param function: its name without the prefix, such as `settle`
    :param payload: a dictionary, or JSON that may be a template
    """

    def __init__(self, *, function: str, payload: Any = None, **kwargs: Any) -> None:
        super().__init__(
            function_name=PREFIX + function,
            payload=json.dumps(payload or {}) if payload is None or isinstance(payload, dict) else payload,
            aws_conn_id=CONNECTION,
            botocore_config=ONCE,
            log_type="Tail",
            keep_empty_log_lines=False,
            **kwargs,
        )

    def execute(self, context: Any) -> Any:
        return self.outcome(self.answer(context), context)

    def outcome(self, answer: dict[str, Any], context: Any) -> Any:
        """What other tasks see of an answer; raises where the answer says that not all is well."""
        return answer

    def answer(self, context: Any) -> dict[str, Any]:
        """Invokes once.

        :raises AirflowException: with the function's own sentence, if it failed
        :raises AirflowFailException: if the invocation was refused in a way that a retry would not change
        """
        if not isinstance(self.payload, (str, bytes)):
            self.payload = json.dumps(self.payload)
        try:
            text = super().execute(context)
        except ValueError as error:
            raise AirflowException(f"{self.function_name} failed: {sentence(error)}") from error
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code in REFUSED:
                raise AirflowFailException(f"{self.function_name} was refused: {error}; {REFUSED[code]}") from error
            raise
        return json.loads(text) if text else {}


def sentence(error: ValueError) -> str:
    """What the function said, out of the error that the provider's operator makes of it."""
    try:
        said = json.loads(error.args[1]["Payload"])
        return said["errorMessage"]
    except (LookupError, TypeError, ValueError):
        return str(error)
