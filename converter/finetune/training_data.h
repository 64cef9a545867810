// What a network is shown, and in what order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "converter/data/data_set.h"

namespace vgg19::converter {

/// `count` of `items`, ascending, drawn at random so that each class keeps its share; all of them where
/// `count` is no less. Items must have labels.
std::vector<std::size_t> stratified_subset(const DataSet& data, const std::vector<std::size_t>& items,
                                           std::size_t count, std::uint64_t seed);

/// The items in the random order of an epoch.
std::vector<std::size_t> epoch_order(const std::vector<std::size_t>& items, std::uint64_t seed,
                                     std::uint64_t epoch);

/// A data set whose pictures look a little different in every epoch: half of them are mirrored, and all are
/// cropped at random. Of a picture that is cropped anyway (DataSet::has_margin), another part of what
/// resize_ratio leaves around the middle square is kept; any other moves by up to an eighth of its side in
/// both directions, and is black where nothing is left of it.
class AugmentedData final : public DataSet {
  public:
    /// `data` must outlive it.
    AugmentedData(const DataSet& data, std::uint64_t seed, std::uint64_t epoch)
        : data_(data), seed_(seed), epoch_(epoch) {}

    std::size_t size() const override { return data_.size(); }
    std::string name(std::size_t item) const override { return data_.name(item); }
    std::optional<std::size_t> label(std::size_t item) const override { return data_.label(item); }
    Image picture(std::size_t item) const override { return data_.picture(item); }
    void read(std::size_t item, const Preprocessing& preprocessing, MapSize size,
              std::span<float> nchw) const override;

  private:
    const DataSet& data_;
    std::uint64_t seed_;
    std::uint64_t epoch_;
};

}  // namespace vgg19::converter
