"""The training process: a job file in, a model folder and an outcome file out.

Reading order: `job` (what is asked, what comes back), `launch` (the parent's side), then the child's: `__main__`,
`process` (one training from start to end), `session`, `data`, `settings`, `trainers`, `rewards`, `callbacks`,
`validation`, `generation`, `checkpoints`, `metrics`, `export`. Nothing here reads a spec or a plan, and importing any
of these modules loads neither torch nor trl.
"""
