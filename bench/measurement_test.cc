#include "bench/measurement.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace vgg19::bench {

TEST_CASE("a worker gets the options of the bench") {
    Options options;
    options.threads = 3;
    CHECK(worker_words({.id = "int8", .file = "int8.safetensors"}, options, {"vgg19", "bench"}) ==
          std::vector<std::string>{"vgg19", "bench", "--worker", "int8.safetensors", "--threads", "3",
                                   "--conv", "auto", "--batch", "1", "--plan", "none"});
    options.isa = "avx2";
    options.convolution = "winograd";
    options.batch = 8;
    options.plan_file = "tuned.json";
    options.schedule_threads = 64;
    options.image = "photo.jpg";
    CHECK(worker_words({.id = "res160", .file = "m", .input_size = 160}, options, {"vgg19-bench"}) ==
          std::vector<std::string>{"vgg19-bench", "--worker", "m", "--threads", "3", "--conv", "winograd",
                                   "--batch", "8", "--plan", "tuned.json", "--schedule-threads", "64",
                                   "--isa", "avx2", "--size", "160", "--image", "photo.jpg"});
}

}  // namespace vgg19::bench
