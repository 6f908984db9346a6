"""Kafka 4, and Kafka 3.9 on ZooKeeper: what is acknowledged is there after kill -9."""

import os
import signal
import unittest

from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from instance import Instance, new_folder, processes_of

MESSAGES = 200


def make_topic(address: str, topic: str) -> None:
    admin = AdminClient({"bootstrap.servers": address})
    admin.create_topics([NewTopic(topic, 1, 1)], operation_timeout=30)[topic].result(60)


def produce(address: str, topic: str, values: list[bytes]) -> list[KafkaError]:
    """Sends with acks=all and gives back the errors."""
    errors: list[KafkaError] = []
    # librdkafka waits 30 s for a topic that might just have been made; one that is not there is to be reported soon.
    settings = {"acks": "all", "message.timeout.ms": 30_000, "topic.metadata.propagation.max.ms": 2_000}
    producer = Producer({"bootstrap.servers": address} | settings)
    for value in values:
        producer.produce(topic, value, on_delivery=lambda error, _: errors.append(error) if error else None)
    assert producer.flush(60) == 0, "messages were not delivered"
    return errors


def consume(address: str, topic: str, count: int) -> list[bytes]:
    consumer = Consumer({"bootstrap.servers": address, "group.id": "test", "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, 0, 0)])
    values: list[bytes] = []
    for _ in range(600):
        message = consumer.poll(0.1)
        if message and not message.error():
            values.append(message.value())
        if len(values) == count:
            break
    consumer.close()
    return values


class KafkaTest(unittest.TestCase):
    server = "kafka"

    def setUp(self) -> None:
        self.folder = new_folder(self) / self.server

    def test_messages_outlive_kill_and_the_port_stays(self) -> None:
        sent = [b"%d" % number for number in range(MESSAGES)]
        with Instance(self.server, self.folder) as broker:
            make_topic(broker.address, "numbers")
            self.assertEqual(produce(broker.address, "numbers", sent), [])
            port = broker.port
            for _ in range(2):
                broker.kill()
                broker.start()
                print(f"{self.server} answered {broker.took:.1f} s after kill -9")
                self.assertEqual(broker.port, port)
                self.assertEqual(consume(broker.address, "numbers", MESSAGES), sent)
        self.assertEqual(processes_of(self.folder), [])

    def test_a_mistyped_topic_is_an_error(self) -> None:
        with Instance(self.server, self.folder) as broker:
            errors = produce(broker.address, "no-such-topic", [b"lost?"])
            self.assertEqual([error.code() for error in errors], [KafkaError.UNKNOWN_TOPIC_OR_PART])


class Kafka39Test(KafkaTest):
    server = "kafka39"

    def test_zookeeper_may_be_killed_too(self) -> None:
        with Instance(self.server, self.folder) as broker:
            make_topic(broker.address, "numbers")
            self.assertEqual(produce(broker.address, "numbers", [b"before"]), [])
            zookeeper = int((self.folder / "zookeeper" / "pid").read_text())
            broker.kill()
            os.kill(zookeeper, signal.SIGKILL)
            broker.start()
            self.assertEqual(produce(broker.address, "numbers", [b"after"]), [])
            self.assertEqual(consume(broker.address, "numbers", 2), [b"before", b"after"])
        self.assertEqual(processes_of(self.folder), [])


if __name__ == "__main__":
    unittest.main()
