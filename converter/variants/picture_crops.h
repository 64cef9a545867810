// Calibration images from a single picture.
#pragma once

#include "converter/data/data_set.h"

namespace vgg19::converter {

/// The whole picture, and its quarters: enough to run every layer as after calibration on many pictures, but
/// not to judge accuracy.
class PictureCrops final : public DataSet {
  public:
    explicit PictureCrops(Image picture) : picture_(std::move(picture)) {}

    std::size_t size() const override { return 5; }
    std::string name(std::size_t item) const override;
    std::optional<std::size_t> label(std::size_t /*item*/) const override { return std::nullopt; }
    Image picture(std::size_t item) const override;
    void read(std::size_t item, const Preprocessing& preprocessing, MapSize size,
              std::span<float> nchw) const override;

  private:
    ImageView crop(std::size_t item) const;

    Image picture_;
};

}  // namespace vgg19::converter
