"""The small spec that tests of the authoring core begin with."""

SMALL = """\
sdrl: 1
name: sums
task: {description: Question answering in arithmetic. Needs care., output_format: "Write the number after ####."}
answer: {type: number, extract: {marker: "####"}}
demos: [{input: "What is 1 + 1?", output: "#### 2"}]
"""
