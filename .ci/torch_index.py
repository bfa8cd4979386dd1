"""Print the pip option that selects PyTorch's CPU build where there is no NVIDIA GPU, and nothing otherwise.

A machine whose pip already finds a CPU build (a local wheel folder) needs no option either.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys

CPU_INDEX = "https://download.pytorch.org/whl/cpu"


def has_gpu() -> bool:
    """Whether an NVIDIA driver answers."""
    tool = shutil.which("nvidia-smi")
    return tool is not None and subprocess.run([tool], capture_output=True, check=False).returncode == 0


def pip_finds_links() -> bool:
    """Whether pip is configured with a folder of local wheels."""
    if os.environ.get("PIP_FIND_LINKS"):
        return True
    asked = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False)
    return "find-links" in asked.stdout


if __name__ == "__main__":
    if platform.system() == "Linux" and not has_gpu() and not pip_finds_links():
        print(f"--extra-index-url {CPU_INDEX}")
