#include "bench/quantize_full.h"

#include "bench/bench_image.h"
#include "converter/quantize/calibration.h"
#include "converter/quantize/equalize.h"
#include "converter/quantize/quantize.h"
#include "engine/image/preprocess.h"
#include "kernels/common/parallel.h"

namespace vgg19::bench {

namespace {

/// The whole picture, and its quarters.
class PictureCrops final : public converter::DataSet {
  public:
    explicit PictureCrops(Image picture) : picture_(std::move(picture)) {}

    std::size_t size() const override { return 5; }
    std::string name(std::size_t item) const override {
        return "crop " + std::to_string(item) + " of the bundled image";
    }
    std::optional<std::size_t> label(std::size_t /*item*/) const override { return std::nullopt; }
    Image picture(std::size_t item) const override {
        const ImageView view = crop(item);
        Image image{{}, view.width, view.height};
        for (std::size_t row = 0; row < view.height; ++row) {
            const std::uint8_t* const begin = view.rgb + row * view.stride;
            image.rgb.insert(image.rgb.end(), begin, begin + 3 * view.width);
        }
        return image;
    }
    void read(std::size_t item, const Preprocessing& preprocessing, MapSize size,
              std::span<float> nchw) const override {
        preprocess(crop(item), preprocessing, size, nchw);
    }

  private:
    ImageView crop(std::size_t item) const {
        ImageView view = picture_.view();
        if (item == 0) return view;
        view.width /= 2;
        view.height /= 2;
        const std::size_t row = (item - 1) / 2 * view.height;
        const std::size_t column = (item - 1) % 2 * view.width;
        view.rgb += row * view.stride + 3 * column;
        return view;
    }

    Image picture_;
};

}  // namespace

void quantize_full(const model::ModelFile& source, const std::filesystem::path& output,
                   const model::Progress& progress) {
    const PictureCrops crops(bench_image(std::nullopt));
    converter::CalibrationImages images = {
        .data = &crops, .items = converter::spread_items(crops.size(), crops.size()), .session = {}};
    images.session.set_input_size(source.description().preprocessing.input_size);
    const converter::EqualizedModel equalized(source, converter::measure_channels(source, images));
    converter::FullOptions options;
    options.convolutions.threads = kernels::available_cpus();
    const converter::FullQuantization quantization =
        converter::quantize_all(equalized.file(), converter::calibrate(equalized.file(), images), options);
    converter::write_full(equalized.file(), quantization,
                          "quantize --scope all --calib crops of the bench's picture", output, progress);
}

}  // namespace vgg19::bench
