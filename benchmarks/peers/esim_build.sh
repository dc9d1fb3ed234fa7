#!/bin/sh
# Builds esim_memory for PYTHON from a checkout of github.com/uzh-rpg/rpg_vid2e: esim_build.sh PYTHON CHECKOUT FOLDER
# Debian: libeigen3-dev libopencv-dev libboost-filesystem-dev pybind11-dev. Flags are those of its Release build.
set -e
include=$("$1" -c 'import sysconfig; print(sysconfig.get_paths()["include"])')
mkdir -p "$3"
c++ -O3 -DNDEBUG -std=c++17 -shared -fPIC -I/usr/include/eigen3 -I/usr/include/opencv4 -I"$2/esim_py/include" -I"$include" \
  "$(dirname "$0")/esim_memory.cpp" "$2/esim_py/src/esim.cpp" -o "$3/esim_memory.so" \
  -lopencv_core -lopencv_imgcodecs -lopencv_videoio -lopencv_imgproc -lopencv_highgui -lboost_filesystem -lboost_system
