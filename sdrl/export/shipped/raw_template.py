# SPDX-License-Identifier: Apache-2.0
"""Prints the chat template that leaves an exported prompt as it is: verl renders every prompt with a chat template.

The rows hold the exact text that the model was trained on, in one user message. A tokenizer that puts a begin token
before a plain text did so in that training, and does not where a template is used: then the template writes it.
"""

import sys

from transformers import AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
ids = tokenizer("x").input_ids
begins = tokenizer.bos_token_id is not None and ids[:1] == [tokenizer.bos_token_id]
print(("{{ bos_token }}" if begins else "") + '{% for message in messages %}{{ message["content"] }}{% endfor %}')
