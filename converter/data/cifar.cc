#include "converter/data/cifar.h"

#include <array>
#include <cstdint>
#include <string>

#include "engine/image/preprocess.h"
#include "engine/model/mapped_file.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

constexpr std::size_t side = 32;
constexpr std::size_t channels = 3;
constexpr std::size_t record_bytes = 1 + channels * side * side;
constexpr std::array class_names_by_label = {"airplane", "automobile", "bird",  "cat",  "deer",
                                             "dog",      "frog",       "horse", "ship", "truck"};
constexpr std::size_t classes = class_names_by_label.size();
/// airliner, sports car, robin, tabby, impala, golden retriever, bullfrog, sorrel, container ship, trailer
/// truck.
constexpr std::array<std::size_t, classes> imagenet_by_label = {404, 817, 15,  281, 352,
                                                                207, 30,  339, 510, 867};

std::size_t label_of(std::span<const std::byte> record) {
    return std::to_integer<std::size_t>(record[0]);
}

void check_file(const model::MappedFile& file) {
    const std::span<const std::byte> bytes = file.bytes();
    const std::string name = file.path().string();
    if (bytes.empty() || bytes.size() % record_bytes != 0) {
        throw Error(ErrorKind::bad_input, name + ": expected CIFAR-10's records of " +
                                              std::to_string(record_bytes) + " bytes each, found " +
                                              std::to_string(bytes.size()) + " bytes, which are " +
                                              std::to_string(bytes.size() / record_bytes) + " records and " +
                                              std::to_string(bytes.size() % record_bytes) + " bytes");
    }
    for (std::size_t record = 0; record < bytes.size() / record_bytes; ++record) {
        const std::size_t label = label_of(bytes.subspan(record * record_bytes));
        if (label < classes) continue;
        throw Error(ErrorKind::bad_input, name + ": record " + std::to_string(record) +
                                              ": expected a label from 0 to 9, found " +
                                              std::to_string(label));
    }
}

class Cifar final : public DataSet {
  public:
    explicit Cifar(const std::vector<std::filesystem::path>& files) {
        for (const std::filesystem::path& path : files) {
            const model::MappedFile& file = files_.emplace_back(path);
            check_file(file);
            size_ += file.bytes().size() / record_bytes;
        }
    }

    std::size_t size() const override { return size_; }

    std::string name(std::size_t item) const override {
        const Place place = find(item);
        return place.file->path().string() + " record " + std::to_string(place.record);
    }

    std::optional<std::size_t> label(std::size_t item) const override { return label_of(record(item)); }
    std::vector<std::string> class_names() const override {
        return {class_names_by_label.begin(), class_names_by_label.end()};
    }
    std::span<const std::size_t> imagenet_classes() const override { return imagenet_by_label; }

    bool has_margin() const override { return false; }

    void read(std::size_t item, const Preprocessing& preprocessing, std::size_t size,
              std::span<float> nchw) const override {
        constexpr std::size_t pixels = side * side;
        const std::span<const std::byte> planes = record(item).subspan(1);
        std::array<std::uint8_t, channels * pixels> rgb{};
        for (std::size_t i = 0; i < rgb.size(); ++i) {
            rgb[i] = std::to_integer<std::uint8_t>(planes[i % channels * pixels + i / channels]);
        }
        Preprocessing uncropped = preprocessing;
        uncropped.resize_ratio = 1;
        preprocess({rgb.data(), side, side, side * channels}, uncropped, size, nchw);
    }

  private:
    struct Place {
        const model::MappedFile* file;
        std::size_t record;
    };

    Place find(std::size_t item) const {
        for (const model::MappedFile& file : files_) {
            const std::size_t records = file.bytes().size() / record_bytes;
            if (item < records) return {&file, item};
            item -= records;
        }
        throw Error(ErrorKind::usage, "data set: expected an item below " + std::to_string(size_));
    }

    std::span<const std::byte> record(std::size_t item) const {
        const Place place = find(item);
        return place.file->bytes().subspan(place.record * record_bytes, record_bytes);
    }

    std::vector<model::MappedFile> files_;
    std::size_t size_ = 0;
};

}  // namespace

std::unique_ptr<DataSet> open_cifar(const std::vector<std::filesystem::path>& files) {
    return std::make_unique<Cifar>(files);
}

}  // namespace vgg19::converter
