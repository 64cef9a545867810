#include "converter/data/cifar.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <string>
#include <system_error>
#include <utility>

#include "converter/data/foreign_data.h"
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
/// The ImageNet classes airliner, sports car, robin, tabby, impala, golden retriever, bullfrog, sorrel,
/// container ship, trailer truck.
constexpr std::array<std::size_t, classes> imagenet_by_label = {404, 817, 15,  281, 352,
                                                                207, 30,  339, 510, 867};

std::size_t label_of(std::span<const std::byte> record) {
    return std::to_integer<std::size_t>(record[0]);
}

void check_file(const model::MappedFile& file) {
    const std::span<const std::byte> bytes = file.bytes();
    const std::string name = file.path().string();
    if (bytes.empty() || bytes.size() % record_bytes != 0) {
        if (const auto foreign = describe_foreign_data(file.path(), bytes)) {
            throw Error(ErrorKind::bad_input, name +
                                                  ": expected CIFAR-10's binary file or a folder of "
                                                  "images, found " +
                                                  *foreign);
        }
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
    Cifar(std::vector<model::MappedFile> files, std::vector<LeftOut> left_out) : files_(std::move(files)) {
        source_ = {.files = files_.size(), .names = {}, .left_out = std::move(left_out)};
        for (const model::MappedFile& file : files_) {
            source_.names.push_back(file.path().filename().string());
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

    const DataSource& source() const override { return source_; }

    bool has_margin() const override { return false; }

    Image picture(std::size_t item) const override {
        constexpr std::size_t pixels = side * side;
        const std::span<const std::byte> planes = record(item).subspan(1);
        Image image{std::vector<std::uint8_t>(channels * pixels), side, side};
        for (std::size_t i = 0; i < image.rgb.size(); ++i) {
            image.rgb[i] = std::to_integer<std::uint8_t>(planes[i % channels * pixels + i / channels]);
        }
        return image;
    }

    void read(std::size_t item, const Preprocessing& preprocessing, MapSize size,
              std::span<float> nchw) const override {
        Preprocessing uncropped = preprocessing;
        uncropped.resize_ratio = 1;
        preprocess(picture(item).view(), uncropped, size, nchw);
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
    DataSource source_;
    std::size_t size_ = 0;
};

constexpr const char* test_file = "test_batch.bin";

bool is_training_file(const std::filesystem::path& path) {
    return path.filename().string().starts_with("data_batch_");
}

bool is_test_file(const std::filesystem::path& path) {
    return path.filename() == test_file;
}

template <class Predicate>
std::vector<std::filesystem::path> those(const std::vector<std::filesystem::path>& files, Predicate wanted) {
    std::vector<std::filesystem::path> result;
    std::copy_if(files.begin(), files.end(), std::back_inserter(result), wanted);
    return result;
}

}  // namespace

std::unique_ptr<DataSet> open_cifar(const std::vector<std::filesystem::path>& files,
                                    std::vector<LeftOut> left_out) {
    std::vector<model::MappedFile> mapped;
    mapped.reserve(files.size());
    for (const std::filesystem::path& path : files) mapped.emplace_back(path);
    return open_cifar(std::move(mapped), std::move(left_out));
}

std::unique_ptr<DataSet> open_cifar(std::vector<model::MappedFile> files, std::vector<LeftOut> left_out) {
    return std::make_unique<Cifar>(std::move(files), std::move(left_out));
}

std::vector<std::filesystem::path> cifar_files(const std::filesystem::path& folder, DataUse use) {
    std::vector<std::filesystem::path> all;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        std::error_code ignored;  // for example a symbolic link to itself
        if (entry.path().extension() == ".bin" && entry.is_regular_file(ignored)) all.push_back(entry.path());
    }
    std::sort(all.begin(), all.end());
    std::vector<std::filesystem::path> chosen =
        those(all, use == DataUse::training ? is_training_file : is_test_file);
    if (chosen.empty()) chosen = those(all, [](const auto& file) { return !is_test_file(file); });
    return chosen.empty() ? all : chosen;
}

bool may_be_cifar(const std::filesystem::path& file) {
    if (is_training_file(file) || is_test_file(file)) return true;
    std::error_code unknown;
    const auto bytes = std::filesystem::file_size(file, unknown);
    return !unknown && bytes > 0 && bytes % record_bytes == 0;
}

}  // namespace vgg19::converter
