#include "converter/finetune/training_data.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "converter/finetune/random_key.h"
#include "engine/model/network.h"

namespace vgg19::converter {

namespace {

/// Items sorted by random keys.
std::vector<std::size_t> shuffled(const std::vector<std::size_t>& items, std::uint64_t seed, RandomUse use,
                                  std::uint64_t epoch) {
    std::vector<std::pair<std::uint64_t, std::size_t>> keyed;
    keyed.reserve(items.size());
    for (const std::size_t item : items) keyed.emplace_back(random_key(seed, use, epoch, item), item);
    std::sort(keyed.begin(), keyed.end());
    std::vector<std::size_t> result;
    result.reserve(items.size());
    for (const auto& [key, item] : keyed) result.push_back(item);
    return result;
}

/// The square that is cut from a square picture of `side` pixels: its corner, possibly outside, and whether
/// it is mirrored.
struct Crop {
    std::ptrdiff_t left = 0;
    std::ptrdiff_t top = 0;
    bool mirrored = false;
};

/// A number in [low, high].
std::ptrdiff_t uniform(std::uint64_t bits, std::ptrdiff_t low, std::ptrdiff_t high) {
    return low + static_cast<std::ptrdiff_t>(bits % static_cast<std::uint64_t>(high - low + 1));
}

/// The range of a crop's left or top edge.
struct Margin {
    std::ptrdiff_t low;
    std::ptrdiff_t high;
};

Crop random_crop(std::uint64_t key, Margin left, Margin top) {
    return {.left = uniform(mix_bits(key + 1), left.low, left.high),
            .top = uniform(mix_bits(key + 2), top.low, top.high),
            .mirrored = key % 2 == 1};
}

/// One channel. Outside the picture there is `padding`.
void copy_crop(const float* plane, MapSize picture, const Crop& crop, float padding, MapSize size,
               float* target) {
    const auto inside = [](std::ptrdiff_t place, std::size_t side) {
        return place >= 0 && place < static_cast<std::ptrdiff_t>(side);
    };
    const auto width = static_cast<std::ptrdiff_t>(size.width);
    for (std::ptrdiff_t y = 0; y < static_cast<std::ptrdiff_t>(size.height); ++y) {
        const std::ptrdiff_t row = crop.top + y;
        for (std::ptrdiff_t x = 0; x < width; ++x) {
            const std::ptrdiff_t column = crop.left + (crop.mirrored ? width - 1 - x : x);
            const bool is_inside = inside(row, picture.height) && inside(column, picture.width);
            *target++ =
                is_inside ? plane[row * static_cast<std::ptrdiff_t>(picture.width) + column] : padding;
        }
    }
}

/// If the picture is larger than the crop, all positions inside it; else an eighth of the side in both
/// directions, or none.
Margin margin_of(std::size_t picture, std::size_t crop, bool is_larger, PaddedShifts shifts) {
    const std::size_t shift = shifts == PaddedShifts::yes ? crop / 8 : 0;
    const auto margin = static_cast<std::ptrdiff_t>(is_larger ? picture - crop : shift);
    return {is_larger ? 0 : -margin, margin};
}

}  // namespace

std::vector<std::size_t> labels_of(const EvaluationImages& images, std::span<const std::size_t> items) {
    std::vector<std::size_t> labels;
    if (images.labels.empty()) return labels;
    for (const std::size_t item : items) labels.push_back(images.labels[images.data->label(item).value()]);
    return labels;
}

std::vector<std::size_t> stratified_subset(const DataSet& data, const std::vector<std::size_t>& items,
                                           std::size_t count, std::uint64_t seed) {
    if (count >= items.size()) return items;

    std::vector<std::vector<std::size_t>> classes(std::max<std::size_t>(data.class_names().size(), 1));
    for (const std::size_t item : shuffled(items, seed, RandomUse::subset, 0)) {
        classes[data.label(item).value_or(0)].push_back(item);
    }
    // Spread each class evenly over [0, 1): then any prefix of the sorted line has about the same share of
    // each class.
    std::vector<std::pair<double, std::size_t>> line;
    for (const std::vector<std::size_t>& members : classes) {
        for (std::size_t i = 0; i < members.size(); ++i) {
            const double place = (static_cast<double>(i) + 0.5) / static_cast<double>(members.size());
            line.emplace_back(place, members[i]);
        }
    }
    std::sort(line.begin(), line.end());
    std::vector<std::size_t> subset;
    for (std::size_t i = 0; i < count; ++i) subset.push_back(line[i].second);
    std::sort(subset.begin(), subset.end());
    return subset;
}

std::vector<std::size_t> epoch_order(const std::vector<std::size_t>& items, std::uint64_t seed,
                                     std::uint64_t epoch) {
    return shuffled(items, seed, RandomUse::order, epoch);
}

void AugmentedData::read(std::size_t item, const Preprocessing& preprocessing, MapSize size,
                         std::span<float> nchw) const {
    const std::uint64_t key = random_key(seed_, RandomUse::augmentation, epoch_, item);
    const auto resized = [&](std::size_t side) {
        return static_cast<std::size_t>(
            std::nearbyint(static_cast<double>(side) * preprocessing.resize_ratio));
    };
    const MapSize enlarged = {resized(size.height), resized(size.width)};
    const bool has_margin =
        data_.has_margin() && enlarged.height > size.height && enlarged.width > size.width;
    const MapSize whole_size = has_margin ? enlarged : size;
    const Crop crop = random_crop(key, margin_of(whole_size.width, size.width, has_margin, shifts_),
                                  margin_of(whole_size.height, size.height, has_margin, shifts_));

    Preprocessing whole = preprocessing;
    if (has_margin) whole.resize_ratio = 1;
    std::vector<float> picture(model::image_channels * whole_size.pixels());
    data_.read(item, whole, whole_size, picture);
    for (std::size_t channel = 0; channel < model::image_channels; ++channel) {
        const float black = -preprocessing.mean.at(channel) / preprocessing.deviation.at(channel);
        copy_crop(&picture[channel * whole_size.pixels()], whole_size, crop, black, size,
                  &nchw[channel * size.pixels()]);
    }
}

}  // namespace vgg19::converter
