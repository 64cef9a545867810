#include "tools/features/picture_reader.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <numeric>
#include <stdexcept>

#include "kernels/common/testing/no_new_threads.h"
#include "vgg19/error.h"

using namespace vgg19;
using namespace vgg19::tools;

namespace {

std::vector<std::size_t> first_numbers(std::size_t count) {
    std::vector<std::size_t> numbers(count);
    std::iota(numbers.begin(), numbers.end(), std::size_t{0});
    return numbers;
}

PictureInput picture(std::size_t index, std::size_t floats = 1) {
    return {.index = index, .size = 1, .values = std::vector<float>(floats, static_cast<float>(index))};
}

}  // namespace

TEST_CASE("pictures come in the order that was asked for, whichever is read first") {
    PictureReader reader({5, 3, 4, 0, 1, 2},
                         [](std::size_t index) {
                             std::this_thread::sleep_for(std::chrono::milliseconds(index));
                             return picture(index);
                         },
                         4, {});
    std::vector<std::size_t> order;
    while (const auto input = reader.next()) {
        CHECK(input->values.front() == static_cast<float>(input->index));
        order.push_back(input->index);
    }
    CHECK(order == std::vector<std::size_t>{5, 3, 4, 0, 1, 2});
}

TEST_CASE(
    "a broken picture is handed out with its problem; another exception ends the reading at its place") {
    PictureReader reader(first_numbers(4),
                         [](std::size_t index) {
                             if (index == 1) throw Error(ErrorKind::bad_input, "b.jpg: torn");
                             if (index == 3) throw std::runtime_error("no memory");
                             return picture(index);
                         },
                         2, {});
    CHECK(reader.next()->problem.empty());
    const auto broken = reader.next();
    CHECK(broken->index == 1);
    CHECK(broken->problem == "b.jpg: torn");
    CHECK(reader.next()->index == 2);
    CHECK_THROWS_WITH(reader.next(), "no memory");
}

TEST_CASE("no more is read ahead than allowed, in pictures and in bytes") {
    for (const PictureReader::Ahead ahead :
         {PictureReader::Ahead{.pictures = 3}, PictureReader::Ahead{.pictures = 100, .bytes = 3 * 4000}}) {
        std::atomic<std::size_t> begun = 0;
        constexpr std::size_t threads = 2;
        PictureReader reader(
            first_numbers(50),
            [&begun](std::size_t index) {
                ++begun;
                return picture(index, 1000);
            },
            threads, ahead);
        std::size_t taken = 0;
        while (reader.next()) {
            ++taken;
            // Those that are allowed, and one on each thread that was begun before the bytes were known.
            CHECK(begun <= taken + 3 + threads);
        }
        CHECK(taken == 50);
    }
}

TEST_CASE("a reader may be left before its end, and may have nothing to read") {
    PictureReader left(first_numbers(1000), [](std::size_t index) { return picture(index); }, 2, {});
    CHECK(left.next()->index == 0);
    PictureReader none({}, [](std::size_t index) { return picture(index); }, 2, {});
    CHECK_FALSE(none.next().has_value());
}

TEST_CASE("where the system refuses threads, the caller's reads") {
    const kernels::NoNewThreads refused;
    PictureReader reader({2, 0, 1},
                         [](std::size_t index) {
                             if (index == 0) throw Error(ErrorKind::bad_input, "b.jpg: torn");
                             if (index == 1) throw std::runtime_error("no memory");
                             return picture(index);
                         },
                         4, {});
    CHECK(reader.next()->index == 2);
    CHECK(reader.next()->problem == "b.jpg: torn");
    CHECK_THROWS_WITH(reader.next(), "no memory");
    CHECK(!reader.next());
}
