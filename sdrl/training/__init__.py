"""The training process: a job file in, a model folder and an outcome file out.

Reading order: `job` (what is asked, what comes back), `launch` (the parent's side), then the child's side:
`__main__`, `session`, `data`, `rewards`, `grpo`, `sft`, `validation`, `metrics`, `checkpoints`, `export`. Nothing
here reads a spec or a plan, and importing this package loads neither torch nor trl.
"""
