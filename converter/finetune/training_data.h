// Which images training shows, and in which order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "converter/data/data_set.h"
#include "converter/evaluate/evaluate.h"

namespace vgg19::converter {

/// The model's classes for `items`; none if the images have no map of labels.
std::vector<std::size_t> labels_of(const EvaluationImages& images, std::span<const std::size_t> items);

/// `count` of `items`, ascending, chosen at random so that each class keeps its share; all items if `count`
/// is not smaller. Items without labels count as one class.
std::vector<std::size_t> stratified_subset(const DataSet& data, const std::vector<std::size_t>& items,
                                           std::size_t count, std::uint64_t seed);

/// The items in the random order of an epoch.
std::vector<std::size_t> epoch_order(const std::vector<std::size_t>& items, std::uint64_t seed,
                                     std::uint64_t epoch);

/// Whether pictures without a margin are shifted, so that a black border comes in.
enum class PaddedShifts : unsigned char { no, yes };

/// A data set whose pictures are augmented differently in every epoch: half of them are mirrored, and all are
/// cropped at random. A picture with a margin (DataSet::has_margin) is cropped at a random position instead
/// of its centre; others are, with PaddedShifts::yes, shifted by up to an eighth of their side in both
/// directions, and padded with black.
class AugmentedData final : public DataSet {
  public:
    /// `data` must outlive it.
    AugmentedData(const DataSet& data, std::uint64_t seed, std::uint64_t epoch,
                  PaddedShifts shifts = PaddedShifts::yes)
        : data_(data), seed_(seed), epoch_(epoch), shifts_(shifts) {}

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
    PaddedShifts shifts_;
};

}  // namespace vgg19::converter
