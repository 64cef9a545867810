#include "tools/progress_bar.h"

#include <doctest/doctest.h>

#include "tools/text.h"

using namespace vgg19::tools;

TEST_CASE("Progress shows share, amount, rate and remaining time") {
    CHECK(progress_text("converting", ProgressUnit::bytes, 250'000'000, 500'000'000, 2) ==
          "converting  [##########..........]  50 %  250.0 MB of 500.0 MB  125.0 MB/s  2 s left");
    CHECK(progress_text("classifying", ProgressUnit::items, 30, 7230, 1) ==
          "classifying  [....................]  0 %  30 of 7230  30.0/s  4 min 0 s left");
    CHECK(progress_text("running", ProgressUnit::items, 1, 7201, 1) ==
          "running  [....................]  0 %  1 of 7201  1.0/s  2 h 0 min left");
}

TEST_CASE("Work done before does not count for the rate") {
    CHECK(progress_text("training", ProgressUnit::items, 150, 200, 5, 100) ==
          "training  [###############.....]  75 %  150 of 200  10.0/s  5 s left");
    CHECK(progress_text("training", ProgressUnit::items, 100, 200, 5, 100) ==
          "training  [##########..........]  50 %  100 of 200");
}

TEST_CASE("Progress has no rate before anything is done, and never exceeds its total") {
    CHECK(progress_text("running", ProgressUnit::items, 0, 4, 1) ==
          "running  [....................]  0 %  0 of 4");
    CHECK(progress_text("running", ProgressUnit::items, 5, 4, 1) ==
          "running  [####################]  100 %  4 of 4  4.0/s  0 s left");
    CHECK(progress_text("running", ProgressUnit::items, 0, 0, 1) ==
          "running  [####################]  100 %  0 of 0");
}

TEST_CASE("Numbers are grouped by thousands and bytes are decimal") {
    CHECK(grouped(0) == "0");
    CHECK(grouped(999) == "999");
    CHECK(grouped(1000) == "1,000");
    CHECK(grouped(143'667'240) == "143,667,240");
    CHECK(vgg19::megabytes(574'671'000) == "574.7 MB");
    CHECK(vgg19::megabytes(12'345) == "12.3 kB");
    CHECK(scaled(19'632'062'464) == "19.63 G");
}
