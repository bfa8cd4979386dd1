"""On what kind of file system a path lies, where that can be known (Linux: ``/proc/self/mountinfo``)."""

from __future__ import annotations

import re
from pathlib import Path

NETWORK = frozenset(
    "nfs nfs4 cifs smb3 smbfs 9p afs ceph lustre glusterfs gpfs beegfs ocfs2 gfs2 pvfs2 orangefs fuse.sshfs fuse.s3fs "
    "fuse.gcsfuse fuse.rclone fuse.juicefs fuse.glusterfs fuse.ceph fuse.mfs fuse.goofys".split()
)
_MOUNTS = Path("/proc/self/mountinfo")


def is_on_network(path: Path, mounts: Path = _MOUNTS) -> bool:
    """Whether ``path`` lies on a file system that other machines may share; False where nothing can be known."""
    return kind_of(path, mounts) in NETWORK


def kind_of(path: Path, mounts: Path = _MOUNTS) -> str:
    """The type of the file system, such as ``ext4``; empty where nothing can be known."""
    try:
        lines = mounts.read_text("utf-8", "replace").splitlines()
    except OSError:
        return ""
    place = path.resolve()
    best, kind = -1, ""
    for line in lines:
        fields, _, rest = line.partition(" - ")
        words = fields.split(" ")
        if len(words) < 5 or not rest:
            continue
        point = re.sub(r"\\(\d{3})", lambda octal: chr(int(octal[1], 8)), words[4])
        if len(point) >= best and place.is_relative_to(point):
            best, kind = len(point), rest.split(" ")[0]
    return kind
