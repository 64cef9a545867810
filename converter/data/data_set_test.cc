#include "converter/data/data_set.h"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "engine/image/preprocess.h"
#include "engine/testing/error_of.h"
#include "engine/testing/temporary_folder.h"
#include "kernels/common/testing/random.h"
#include "vgg19/image.h"

namespace vgg19::converter {

namespace {

using kernels::testing::Random;
using vgg19::testing::Containing;
using vgg19::testing::error_of;
using vgg19::testing::TemporaryFolder;

constexpr std::size_t record_bytes = 3073;

void write(const std::filesystem::path& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
}

std::string random_records(Random& random, const std::vector<int>& labels) {
    std::string bytes;
    for (const int label : labels) {
        bytes += static_cast<char>(label);
        for (std::size_t i = 1; i < record_bytes; ++i) bytes += static_cast<char>(random.integer(0, 255));
    }
    return bytes;
}

/// A uniformly grey PPM, so that images stay distinguishable after any resizing.
void write_grey(const std::filesystem::path& path, int grey, std::size_t width = 40,
                std::size_t height = 36) {
    std::filesystem::create_directories(path.parent_path());
    write(path, "P6\n" + std::to_string(width) + " " + std::to_string(height) + "\n255\n" +
                    std::string(width * height * 3, static_cast<char>(grey)));
}

/// Gives back the samples in [0, 255], if the picture is not resized.
constexpr Preprocessing to_samples = {.input_size = 32, .mean = {0, 0, 0}, .deviation = {1, 1, 1}};

std::vector<float> read(const DataSet& data, std::size_t item, std::size_t size,
                        const Preprocessing& preprocessing = to_samples) {
    std::vector<float> nchw(3 * size * size);
    data.read(item, preprocessing, size, nchw);
    return nchw;
}

/// The labels in the data set's order, −1 for items without one.
std::vector<int> labels_of(const DataSet& data) {
    std::vector<int> labels;
    for (std::size_t item = 0; item < data.size(); ++item) {
        const auto label = data.label(item);
        labels.push_back(label ? static_cast<int>(*label) : -1);
    }
    return labels;
}

std::vector<int> greys_of(const DataSet& data) {
    std::vector<int> greys;
    for (std::size_t item = 0; item < data.size(); ++item) {
        greys.push_back(static_cast<int>(std::lround(read(data, item, 32)[0] * 255)));
    }
    return greys;
}

std::string refusal(const std::filesystem::path& path) {
    return error_of(ErrorKind::bad_input, [&] { open_data_set(path); });
}

}  // namespace

TEST_CASE("CIFAR-10's pictures of 32 pixels are read unchanged, with their labels") {
    Random random;
    INFO(random.replay());
    const TemporaryFolder folder;
    const std::string bytes = random_records(random, {3, 0, 9});
    write(folder / "batch.bin", bytes);
    const auto data = open_data_set(folder / "batch.bin");
    CHECK(labels_of(*data) == std::vector<int>{3, 0, 9});
    CHECK(data->name(2) == (folder / "batch.bin").string() + " record 2");
    for (std::size_t item = 0; item < 3; ++item) {
        const std::vector<float> nchw = read(*data, item, 32);
        for (std::size_t i = 0; i < nchw.size(); ++i) {
            const auto sample = static_cast<std::uint8_t>(bytes[item * record_bytes + 1 + i]);
            REQUIRE(nchw[i] == static_cast<float>(sample) / 255);
        }
    }
}

TEST_CASE("CIFAR-10's pictures are resized straight to another size, and normalised") {
    Random random;
    INFO(random.replay());
    const TemporaryFolder folder;
    const std::string bytes = random_records(random, {1});
    write(folder / "batch.bin", bytes);
    const auto data = open_data_set(folder / "batch.bin");

    std::vector<std::uint8_t> rgb(3072);
    for (std::size_t i = 0; i < rgb.size(); ++i) {
        rgb[i] = static_cast<std::uint8_t>(bytes[1 + i % 3 * 1024 + i / 3]);
    }
    Preprocessing preprocessing;
    const Image resized = resize_and_crop({rgb.data(), 32, 32, 96}, 1, 48);
    const std::vector<float> nchw = read(*data, 0, 48, preprocessing);
    for (std::size_t i = 0; i < nchw.size(); ++i) {
        const std::size_t channel = i / (48U * 48U);
        const float sample = static_cast<float>(resized.rgb[i % (48U * 48U) * 3 + channel]) / 255;
        REQUIRE(nchw[i] == (sample - preprocessing.mean.at(channel)) / preprocessing.deviation.at(channel));
    }
}

TEST_CASE("a folder's CIFAR-10 files are read in name order, whatever else is there") {
    Random random;
    INFO(random.replay());
    const TemporaryFolder folder;
    write(folder / "b_2.bin", random_records(random, {4}));
    write(folder / "b_1.bin", random_records(random, {1, 2}));
    write(folder / "batches.meta.txt", "airplane");
    write(folder / "readme.png", "not read");
    const auto data = open_data_set(folder.path());
    CHECK(labels_of(*data) == std::vector<int>{1, 2, 4});
    CHECK(data->name(2) == (folder / "b_2.bin").string() + " record 0");
}

TEST_CASE(
    "CIFAR-10 files that are truncated, empty or have an invalid label are refused with name and position") {
    Random random;
    INFO(random.replay());
    const TemporaryFolder folder;
    const std::string records = random_records(random, {1, 2});
    write(folder / "short.bin", records.substr(0, records.size() - 1));
    CHECK(refusal(folder / "short.bin") == Containing((folder / "short.bin").string()));
    CHECK(refusal(folder / "short.bin") ==
          Containing("records of 3073 bytes each, found 6145 bytes, which are 1 records and 3072 bytes"));
    write(folder / "short.bin", "");
    CHECK(refusal(folder / "short.bin") == Containing("found 0 bytes"));
    CHECK(refusal(folder.path()) == Containing("short.bin"));
    write(folder / "label.bin", random_records(random, {1, 9, 10}));
    CHECK(refusal(folder / "label.bin") ==
          Containing("label.bin: record 2: expected a label from 0 to 9, found 10"));
}

TEST_CASE("a flat folder's images are sorted by name and unlabelled; the extension's case does not matter") {
    const TemporaryFolder folder;
    write_grey(folder / "c.PPM", 30);
    write_grey(folder / "a.ppm", 10);
    write_grey(folder / "b.jpg", 20);  // the content decides, not the extension
    write_grey(folder / ".hidden.ppm", 99);
    write(folder / "notes.txt", "not an image");
    const auto data = open_data_set(folder.path());
    CHECK(greys_of(*data) == std::vector<int>{10, 20, 30});
    CHECK(labels_of(*data) == std::vector<int>{-1, -1, -1});
    CHECK(data->name(0) == (folder / "a.ppm").string());
}

TEST_CASE("a class folder's label is its position among all, including empty ones") {
    const TemporaryFolder folder;
    write_grey(folder / "cat/2.ppm", 12);
    write_grey(folder / "cat/1.ppm", 11);
    write_grey(folder / "ant/1.ppm", 1);
    std::filesystem::create_directory(folder / "bee");
    const auto data = open_data_set(folder.path());
    CHECK(greys_of(*data) == std::vector<int>{1, 11, 12});
    CHECK(labels_of(*data) == std::vector<int>{0, 2, 2});
}

TEST_CASE("photographs are resized and cropped by the model's preprocessing") {
    const TemporaryFolder folder;
    write_grey(folder / "a.ppm", 200, 70, 50);
    const Preprocessing preprocessing;
    const Image image = load_image(folder / "a.ppm");
    std::vector<float> expected(3UL * 33 * 33);
    preprocess(image.view(), preprocessing, 33, expected);
    CHECK(read(*open_data_set(folder.path()), 0, 33, preprocessing) == expected);
}

TEST_CASE("empty folders, and folders with both kinds, are refused") {
    const TemporaryFolder folder;
    CHECK(refusal(folder.path()) == Containing("found none"));
    CHECK(refusal(folder / "missing") == Containing("found nothing of that name"));
    std::filesystem::create_directory(folder / "class");
    CHECK(refusal(folder.path()) == Containing("found none"));
    write_grey(folder / "class/a.ppm", 1);
    write_grey(folder / "b.ppm", 1);
    CHECK(refusal(folder.path()) == Containing("found both"));
}

TEST_CASE("a broken image is an error that names its file") {
    const TemporaryFolder folder;
    write_grey(folder / "a.ppm", 1);
    write(folder / "b.png", "P6\n40 40\n255\nshort");
    const auto data = open_data_set(folder.path());
    const std::string message = error_of(ErrorKind::bad_input, [&] { std::ignore = read(*data, 1, 32); });
    CHECK(message == Containing((folder / "b.png").string()));
}

TEST_CASE("items are spread over the whole set") {
    CHECK(spread_items(10, 3) == std::vector<std::size_t>{0, 3, 6});
    CHECK(spread_items(4, 4) == std::vector<std::size_t>{0, 1, 2, 3});
    CHECK(spread_items(2, 9) == std::vector<std::size_t>{0, 1});
}

}  // namespace vgg19::converter
