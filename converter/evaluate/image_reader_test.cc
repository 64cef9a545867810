#include "converter/evaluate/image_reader.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "engine/testing/error_of.h"
#include "kernels/common/testing/no_new_threads.h"

namespace vgg19::converter {

namespace {

using vgg19::testing::error_of;

/// Every value of item i is i plus the mean's first value; records which items were read.
class Numbers final : public DataSet {
  public:
    explicit Numbers(std::size_t size, std::size_t broken = ~std::size_t{0}) : size_(size), broken_(broken) {}
    std::size_t size() const override { return size_; }
    std::string name(std::size_t item) const override { return std::to_string(item); }
    std::optional<std::size_t> label(std::size_t /*item*/) const override { return std::nullopt; }
    Image picture(std::size_t /*item*/) const override { return {{0, 0, 0}, 1, 1}; }
    void read(std::size_t item, const Preprocessing& preprocessing, MapSize /*size*/,
              std::span<float> nchw) const override {
        if (item == broken_) throw Error(ErrorKind::bad_input, "item " + name(item));
        std::fill(nchw.begin(), nchw.end(), static_cast<float>(item) + preprocessing.mean[0]);
        ++reads;
    }

    mutable std::atomic<std::size_t> reads = 0;

  private:
    std::size_t size_;
    std::size_t broken_;
};

InputFormat format_with(float mean, std::size_t size) {
    return {{.mean = {mean, 0, 0}}, size};
}

}  // namespace

TEST_CASE("batches have the order of items, the last one holds the rest, in every format") {
    const Numbers data(20);
    ImageReader reader(data, {3, 1, 19, 0, 7}, {format_with(0, 2), format_with(100, 1)}, 2);
    const std::vector<std::vector<float>> expected = {{3, 1}, {19, 0}, {7}};
    for (std::size_t index = 0; index < expected.size(); ++index) {
        const ImageBatch* batch = reader.next();
        REQUIRE(batch != nullptr);
        CHECK(batch->first == 2 * index);
        REQUIRE(batch->count == expected[index].size());
        REQUIRE(batch->inputs.size() == 2);
        CHECK(batch->inputs[0].size() == 2 * 12);
        CHECK(batch->inputs[1].size() == 2 * 3);
        for (std::size_t i = 0; i < batch->count; ++i) {
            const float* first = &batch->inputs[0][12 * i];
            CHECK(std::count(first, first + 12, expected[index][i]) == 12);
            const float* second = &batch->inputs[1][3 * i];
            CHECK(std::count(second, second + 3, expected[index][i] + 100) == 3);
        }
    }
    CHECK(reader.next() == nullptr);
    CHECK(reader.next() == nullptr);
    CHECK(data.reads == 10);
}

TEST_CASE("images are read two batches ahead, and no further") {
    using namespace std::chrono_literals;
    const Numbers data(100);
    std::vector<std::size_t> items(100);
    for (std::size_t i = 0; i < items.size(); ++i) items[i] = i;
    ImageReader reader(data, items, {format_with(0, 1)}, 4);
    for (std::size_t batch = 1; batch <= 5; ++batch) {
        REQUIRE(reader.next() != nullptr);
        for (int wait = 0; wait < 10000 && data.reads < 4 * (batch + 2); ++wait) {
            std::this_thread::sleep_for(1ms);
        }
        std::this_thread::sleep_for(5ms);
        CHECK(data.reads == 4 * (batch + 2));
    }
}

TEST_CASE("an exception of reading is rethrown after the earlier batches, on every further call") {
    const Numbers data(20, 5);
    ImageReader reader(data, {0, 1, 2, 3, 4, 5, 6}, {format_with(0, 1)}, 2);
    REQUIRE(reader.next() != nullptr);
    REQUIRE(reader.next() != nullptr);
    for (int i = 0; i < 2; ++i) {
        CHECK(error_of(ErrorKind::bad_input, [&] { reader.next(); }) == "item 5");
    }
}

TEST_CASE("a reader can be destroyed at any time") {
    const Numbers data(1000);
    const std::vector<std::size_t> items(1000, 1);
    for (std::size_t taken = 0; taken < 5; ++taken) {
        ImageReader reader(data, items, {format_with(0, 4)}, 2);
        for (std::size_t i = 0; i < taken; ++i) REQUIRE(reader.next() != nullptr);
    }
    ImageReader nothing(data, {}, {format_with(0, 1)}, 2);
    CHECK(nothing.next() == nullptr);
}

TEST_CASE("formats are equal if they give the same values") {
    const InputFormat format = format_with(0.5F, 32);
    InputFormat other = format;
    other.preprocessing.input_size = 99;  // `size` replaces it
    CHECK(format == other);
    for (const auto& change :
         {+[](InputFormat& f) { f.size = 33; }, +[](InputFormat& f) { f.preprocessing.resize_ratio = 1; },
          +[](InputFormat& f) { f.preprocessing.mean[2] = 1; },
          +[](InputFormat& f) { f.preprocessing.deviation[1] = 2; },
          +[](InputFormat& f) { f.preprocessing.channel_order = ChannelOrder::bgr; },
          +[](InputFormat& f) { f.preprocessing.range = 255; }}) {
        InputFormat changed = format;
        change(changed);
        CHECK_FALSE(format == changed);
    }
}

TEST_CASE("broken items can be left out: the next ones take their places") {
    const Numbers data(20, 1);
    ImageReader reader(data, {3, 1, 19, 0, 7}, {format_with(0, 2)}, 2, BrokenImages::are_left_out);
    const std::vector<std::vector<std::size_t>> expected = {{3, 19}, {0, 7}};
    const std::vector<std::size_t> done = {3, 5};
    for (std::size_t index = 0; index < expected.size(); ++index) {
        const ImageBatch* batch = reader.next();
        REQUIRE(batch != nullptr);
        CHECK(batch->items == expected[index]);
        CHECK(batch->count == 2);
        CHECK(batch->first == 2 * index);
        CHECK(batch->done == done[index]);
        CHECK(batch->inputs[0][12] == static_cast<float>(expected[index][1]));
    }
    CHECK(reader.next() == nullptr);
    REQUIRE(reader.broken().size() == 1);
    CHECK(reader.broken()[0].item == 1);
    CHECK(reader.broken()[0].problem == "item 1");
}

TEST_CASE("a broken item at the end makes no empty batch, and too many are an error") {
    const Numbers data(20, 1);
    ImageReader last(data, {3, 4, 5, 6, 1}, {format_with(0, 1)}, 4, BrokenImages::are_left_out);
    CHECK(last.next()->count == 4);
    CHECK(last.next() == nullptr);
    CHECK(last.broken().size() == 1);
    ImageReader many(data, {3, 1, 4}, {format_with(0, 1)}, 2, BrokenImages::are_left_out);
    CHECK(error_of(ErrorKind::bad_input,
                   [&] {
                       while (many.next() != nullptr) {
                       }
                   }) ==
          vgg19::testing::Containing("at most a quarter of the pictures to be broken, found that 1 of 3"));
}

TEST_CASE("where the system refuses a thread, the caller's reads") {
    const kernels::NoNewThreads refused;
    const Numbers data(5, 4);
    ImageReader reader(data, {3, 1, 2}, {format_with(0, 1)}, 2);
    const ImageBatch* batch = reader.next();
    REQUIRE(batch != nullptr);
    CHECK(batch->items == std::vector<std::size_t>{3, 1});
    CHECK(batch->inputs[0][3] == 1);
    batch = reader.next();
    REQUIRE(batch != nullptr);
    CHECK(batch->items == std::vector<std::size_t>{2});
    CHECK(reader.next() == nullptr);
    CHECK(reader.next() == nullptr);
    ImageReader broken(data, {4}, {format_with(0, 1)}, 2);
    CHECK(error_of(ErrorKind::bad_input, [&] { broken.next(); }) == "item 4");
    CHECK(error_of(ErrorKind::bad_input, [&] { broken.next(); }) == "item 4");
}

}  // namespace vgg19::converter
