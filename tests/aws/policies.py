"""What is wrong with the policies of a template; empty where nothing is."""

from stack import listed, of_type


def documents(template):
    """Every policy: its resource, its document."""
    for name, resource in template["Resources"].items():
        properties = resource.get("Properties", {})
        for key in ("PolicyDocument", "AssumeRolePolicyDocument"):
            if key in properties:
                yield name, properties[key]
        for policy in properties.get("Policies", []):
            yield name, policy["PolicyDocument"]


def reasons(template, name):
    return template["Resources"][name].get("Metadata", {}).get("Reasons", {})


def text(resource):
    """A resource's address, with names of parameters left in."""
    return resource if isinstance(resource, str) else str(next(iter(resource.values())))


def without_reason(template):
    """Statements that allow everything or everybody, and do not say why."""
    wrong = []
    for name, document in documents(template):
        for statement in listed(document["Statement"]):
            wide = [action for action in listed(statement["Action"]) if "*" in action]
            wide += [resource for resource in listed(statement.get("Resource", [])) if resource == "*"]
            wide += [who for who in [statement.get("Principal")] if who == "*" or (isinstance(who, dict) and "*" in who.values())]
            if wide and len(reasons(template, name).get(statement.get("Sid"), "")) < 20:
                wrong.append(f"{name}, {statement.get('Sid')}: {wide} without a reason in Metadata")
            if "NotAction" in statement or "NotResource" in statement:
                wrong.append(f"{name}, {statement.get('Sid')}: says what is not meant instead of what is")
    for name, permission in of_type(template, "AWS::Lambda::Permission").items():
        if permission["Properties"]["Principal"] == "*" and len(reasons(template, name).get("Principal", "")) < 20:
            wrong.append(f"{name}: everybody, without a reason in Metadata")
    return wrong


def too_wide(template):
    """Rights to the bucket that name no prefix, and policies that are not this template's own."""
    wrong = []
    for name, document in documents(template):
        for statement in listed(document["Statement"]):
            if statement["Effect"] == "Deny":
                continue
            actions = listed(statement["Action"])
            for resource in listed(statement.get("Resource", [])):
                address = text(resource)
                if ":s3:::" not in address and any(action.startswith("s3:") for action in actions):
                    wrong.append(f"{name}, {statement['Sid']}: {address} is no address of the bucket")
                objects = [action for action in actions if action.startswith("s3:") and "Bucket" not in action]
                path = address.partition("${BucketName}")[2]
                if objects and (path.startswith("/*") or not path.strip("/")):
                    wrong.append(f"{name}, {statement['Sid']}: {objects} on the whole bucket")
            listing = [action for action in actions if action.startswith("s3:ListBucket")]
            prefixes = statement.get("Condition", {}).get("StringLikeIfExists", {}).get("s3:prefix", [])
            if listing and (not prefixes or any(not prefix.endswith("/*") for prefix in prefixes)):
                wrong.append(f"{name}, {statement['Sid']}: lists the whole bucket")
    for name, role in of_type(template, "AWS::IAM::Role").items():
        for policy in listed(role["Properties"].get("ManagedPolicyArns", [])):
            if not isinstance(policy, dict):
                wrong.append(f"{name}: {policy} is AWS's, which grows by itself")
    return wrong
