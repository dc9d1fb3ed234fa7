// ESIM on frames in memory: its events, and the processor seconds that each imageCallback took.
// esim_py itself reads files and decodes them; its simulation is private, hence the define below.
#include <ctime>
#include <sstream>
#include <vector>

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <boost/filesystem.hpp>
#include <Eigen/Core>
#include <opencv2/core/core.hpp>

#define private public
#include <esim.h>
#undef private

namespace py = pybind11;

double seconds_now()
{
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return now.tv_sec + 1e-9 * now.tv_nsec;
}

py::tuple run(py::array_t<float, py::array::c_style | py::array::forcecast> frames, std::vector<double> times,
              float on, float off, float refractory)
{
  const int height = frames.shape(1), width = frames.shape(2);
  EventSimulator simulator(on, off, refractory, 0.0f, false);
  std::vector<Event> events;
  std::vector<double> seconds;
  for (size_t k = 0; k < times.size(); ++k)
  {
    // A copy: the simulator keeps the first frame and writes into it.
    const cv::Mat image = cv::Mat(height, width, CV_32F, frames.mutable_data(k, 0, 0)).clone();
    const double began = seconds_now();
    simulator.imageCallback(image, times[k], events);
    if (k > 0)
      seconds.push_back(seconds_now() - began);
  }
  py::array_t<double> table({static_cast<py::ssize_t>(events.size()), static_cast<py::ssize_t>(4)});
  auto rows = table.mutable_unchecked<2>();
  for (size_t k = 0; k < events.size(); ++k)
  {
    rows(k, 0) = events[k].t_;
    rows(k, 1) = events[k].x_;
    rows(k, 2) = events[k].y_;
    rows(k, 3) = events[k].polarity_;
  }
  return py::make_tuple(table, seconds);
}

PYBIND11_MODULE(esim_memory, module) { module.def("run", &run); }
