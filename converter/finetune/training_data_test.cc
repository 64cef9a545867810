#include "converter/finetune/training_data.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "converter/finetune/random_key.h"

namespace vgg19::converter {

namespace {

/// Items with pixels that encode their position: channel · 10000 + row · 100 + column, all plus 1. Labels are
/// 0, 1, 1, 0, 1, 1, …
class Places final : public DataSet {
  public:
    explicit Places(std::size_t size, bool has_margin = false) : size_(size), has_margin_(has_margin) {}
    std::size_t size() const override { return size_; }
    std::string name(std::size_t item) const override { return std::to_string(item); }
    std::optional<std::size_t> label(std::size_t item) const override { return item % 3 == 0 ? 0 : 1; }
    std::vector<std::string> class_names() const override { return {"a", "b"}; }
    bool has_margin() const override { return has_margin_; }
    Image picture(std::size_t /*item*/) const override { return {{0, 0, 0}, 1, 1}; }
    void read(std::size_t /*item*/, const Preprocessing& preprocessing, MapSize size,
              std::span<float> nchw) const override {
        read_size = size;
        read_ratio = preprocessing.resize_ratio;
        for (std::size_t i = 0; i < nchw.size(); ++i) {
            const std::size_t pixel = i % size.pixels();
            const std::size_t code =
                i / size.pixels() * 10000 + pixel / size.width * 100 + pixel % size.width;
            nchw[i] = static_cast<float>(code + 1);
        }
    }

    mutable MapSize read_size;
    mutable double read_ratio = 0;

  private:
    std::size_t size_;
    bool has_margin_;
};

constexpr Preprocessing plain = {.resize_ratio = 1.25, .mean = {1, 2, 3}, .deviation = {2, 2, 2}};

std::vector<float> read(const DataSet& data, std::size_t item, std::size_t size) {
    std::vector<float> nchw(3 * size * size);
    data.read(item, plain, size, nchw);
    return nchw;
}

/// The position from which an augmented picture was cropped.
struct Found {
    int left = 0;
    int top = 0;
    bool mirrored = false;
    bool operator<(const Found& other) const {
        return std::array{left, top, static_cast<int>(mirrored)} <
               std::array{other.left, other.top, static_cast<int>(other.mirrored)};
    }
};

/// Finds the crop from the picture's centre, which is never padding, and checks all other pixels.
Found find_crop(const std::vector<float>& nchw, int size, int side) {
    const auto code = [&](int y, int x) {
        return static_cast<int>(nchw[static_cast<std::size_t>(y * size + x)]) - 1;
    };
    const int middle = size / 2;
    Found found;
    found.mirrored = code(middle, middle + 1) < code(middle, middle);
    const int column = code(middle, middle) % 100;
    found.left = column - (found.mirrored ? size - 1 - middle : middle);
    found.top = code(middle, middle) / 100 - middle;
    for (int channel = 0; channel < 3; ++channel) {
        for (int y = 0; y < size; ++y) {
            for (int x = 0; x < size; ++x) {
                const int row = found.top + y;
                const int from = found.left + (found.mirrored ? size - 1 - x : x);
                const bool inside = row >= 0 && row < side && from >= 0 && from < side;
                const float black = static_cast<float>(-(channel + 1)) / 2;
                const float expected =
                    inside ? static_cast<float>(channel * 10000 + row * 100 + from + 1) : black;
                REQUIRE(nchw[static_cast<std::size_t>((channel * size + y) * size + x)] == expected);
            }
        }
    }
    return found;
}

}  // namespace

TEST_CASE("random keys never change, and depend on each of their parts") {
    CHECK(mix_bits(0) == 0xE220A8397B1DCDAFU);  // SplitMix64's first number for seed 0
    std::set<std::uint64_t> keys;
    for (const std::uint64_t seed : {0U, 1U}) {
        for (const RandomUse use : {RandomUse::order, RandomUse::dropout}) {
            for (const std::uint64_t epoch : {0U, 1U}) {
                for (std::uint64_t item = 0; item < 100; ++item) {
                    keys.insert(random_key(seed, use, epoch, item));
                }
            }
        }
    }
    CHECK(keys.size() == 800);
}

TEST_CASE("a subset keeps the classes' shares, and differs by seed") {
    const Places data(90);
    const std::vector<std::size_t> subset = stratified_subset(data, spread_items(90, 90), 30, 7);
    REQUIRE(subset.size() == 30);
    CHECK(std::is_sorted(subset.begin(), subset.end()));
    CHECK(std::set(subset.begin(), subset.end()).size() == 30);
    CHECK(std::count_if(subset.begin(), subset.end(), [](std::size_t item) { return item % 3 == 0; }) == 10);
    CHECK(stratified_subset(data, spread_items(90, 90), 30, 7) == subset);
    CHECK(stratified_subset(data, spread_items(90, 90), 30, 8) != subset);
    CHECK(stratified_subset(data, spread_items(90, 90), 90, 7).size() == 90);
    CHECK(stratified_subset(data, spread_items(90, 90), 900, 7).size() == 90);
    CHECK(stratified_subset(data, spread_items(90, 90), 1, 7).size() == 1);
}

TEST_CASE("an epoch's order is a permutation that differs by seed and epoch") {
    const std::vector<std::size_t> items = {2, 3, 5, 7, 11, 13, 17, 19, 23, 29};
    const std::vector<std::size_t> order = epoch_order(items, 1, 0);
    CHECK(std::is_permutation(order.begin(), order.end(), items.begin(), items.end()));
    CHECK(epoch_order(items, 1, 0) == order);
    CHECK(epoch_order(items, 1, 1) != order);
    CHECK(epoch_order(items, 2, 0) != order);
}

TEST_CASE("pictures without a margin move by up to an eighth, over black, half of them mirrored") {
    constexpr int size = 16;
    const Places data(1000);
    const AugmentedData augmented(data, 3, 0);
    std::set<Found> seen;
    int mirrored = 0;
    for (std::size_t item = 0; item < 1000; ++item) {
        const Found found = find_crop(read(augmented, item, size), size, size);
        CHECK(std::max(std::abs(found.left), std::abs(found.top)) <= 2);
        seen.insert(found);
        mirrored += static_cast<int>(found.mirrored);
    }
    CHECK(seen.size() == 5 * 5 * 2);
    CHECK(mirrored > 400);
    CHECK(mirrored < 600);
}

TEST_CASE("without padded shifts, pictures without a margin are only mirrored") {
    constexpr int size = 16;
    const Places data(100);
    const AugmentedData augmented(data, 3, 0, PaddedShifts::no);
    std::set<Found> seen;
    for (std::size_t item = 0; item < 100; ++item) {
        const Found found = find_crop(read(augmented, item, size), size, size);
        CHECK(std::max(std::abs(found.left), std::abs(found.top)) == 0);
        seen.insert(found);
    }
    CHECK(seen.size() == 2);
}

TEST_CASE("pictures with a margin are cropped from the whole resized picture") {
    constexpr int size = 16;
    const Places data(1000, true);
    const AugmentedData augmented(data, 3, 0);
    std::set<Found> seen;
    for (std::size_t item = 0; item < 1000; ++item) {
        const Found found = find_crop(read(augmented, item, size), size, 20);
        CHECK(std::min(found.left, found.top) >= 0);
        CHECK(std::max(found.left, found.top) <= 4);
        seen.insert(found);
    }
    CHECK(seen.size() == 5 * 5 * 2);
    CHECK(data.read_size == 20);
    CHECK(data.read_ratio == 1);
}

TEST_CASE("a picture is the same when it is read again, and different in the next epoch") {
    const Places data(50);
    const AugmentedData first(data, 3, 0);
    const AugmentedData second(data, 3, 1);
    int same = 0;
    for (std::size_t item = 0; item < 50; ++item) {
        CHECK(read(first, item, 16) == read(first, item, 16));
        same += static_cast<int>(read(first, item, 16) == read(second, item, 16));
    }
    CHECK(same < 10);
    CHECK(first.size() == 50);
    CHECK(first.name(7) == "7");
    CHECK(first.label(7) == 1);
}

}  // namespace vgg19::converter
