"""The rules of the durable commands, by what they are about. Each decides one command on a :class:`Batch`."""
