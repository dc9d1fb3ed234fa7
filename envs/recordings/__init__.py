"""Recorded events: files of event cameras, read in pieces of bounded size.

`open_recording` takes EVT 2 and 3 (Prophesee), AEDAT 4 (iniVation), Event Stream, NPZ and HDF5 and yields
packets of events. A damaged file gives what could be read and says in `trouble` what could not.
"""

from .files import Recording, RecordingError, open_recording, save_npz

__all__ = ["Recording", "RecordingError", "open_recording", "save_npz"]
