// Networks of testdata/make_keras.py give what Keras computes, and others are refused.
#include "converter/import/keras/keras.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "converter/import/testing/foreign.h"
#include "converter/import/testing/zip_writer.h"
#include "engine/model/model_file.h"

namespace {

using vgg19::ChannelOrder;
using vgg19::Pooling;
using vgg19::converter::import_model;
using vgg19::converter::ImportOptions;
using vgg19::converter::rounds_up_text;
using vgg19::converter::testing::check_output;
using vgg19::converter::testing::foreign_refusal;
using vgg19::converter::testing::output_of;
using vgg19::converter::testing::read_bytes;
using vgg19::converter::testing::softmax;
using vgg19::converter::testing::waves;
using vgg19::converter::testing::with_formats;
using vgg19::converter::testing::write_bytes;
using vgg19::model::ModelFile;
using vgg19::testing::Containing;
using vgg19::testing::TemporaryFolder;

const std::filesystem::path folder_of_data = std::filesystem::path(VGG19_IMPORT_TESTDATA) / "keras";

/// The file's output for a picture of this size.
std::vector<float> imported(const std::string& file, std::size_t size, const ImportOptions& options = {}) {
    const TemporaryFolder folder;
    import_model(folder_of_data / file, folder / "model", with_formats(options));
    return output_of(folder / "model", waves(size), size);
}

/// The network of functional.keras with a part of its configuration replaced, all times.
std::string with_config(const std::string& from, const std::string& to,
                        const std::string& file = "functional.keras") {
    const std::string archive = read_bytes(folder_of_data / file);
    // Stored, one after the other: the names and sizes are in the local headers.
    constexpr std::size_t header = 30;
    std::vector<std::pair<std::string, std::string>> files;
    std::size_t at = 0;
    while (archive.compare(at, 4, "PK\x03\x04") == 0) {
        const auto number = [&](std::size_t place, std::size_t bytes) {
            std::size_t value = 0;
            for (std::size_t i = bytes; i-- > 0;)
                value = value << 8U | static_cast<unsigned char>(archive[at + place + i]);
            return value;
        };
        const std::size_t name = number(26, 2);
        const std::size_t begin = at + header + name + number(28, 2);
        files.emplace_back(archive.substr(at + header, name), archive.substr(begin, number(18, 4)));
        at = begin + number(18, 4);
    }
    bool is_changed = false;
    for (auto& [name, content] : files) {
        if (name != "config.json") continue;
        for (std::size_t found = content.find(from); found != std::string::npos;
             found = content.find(from, found + to.size())) {
            content.replace(found, from.size(), to);
            is_changed = true;
        }
    }
    REQUIRE(is_changed);
    return vgg19::converter::testing::zip_file(files);
}

}  // namespace

TEST_CASE("networks of Keras compute what Keras computes") {
    const std::filesystem::path expected = folder_of_data / "expected.safetensors";
    for (const char* const file :
         {"functional.keras", "named.weights.h5", "old_weights.h5", "compressed.h5"}) {
        CAPTURE(file);
        check_output(softmax(imported(file, 64)), expected, "functional");
    }
    check_output(imported("no_top.h5", 64), expected, "no_top");
    for (const char* const file : {"sequential_bn.h5", "sequential_bn.keras"}) {
        CAPTURE(file);
        check_output(imported(file, 32), expected, "sequential_bn");
    }
    // Weights alone say neither what the pools compute nor what is added to variances.
    constexpr double epsilon = 2e-3;
    check_output(
        imported("numbered.weights.h5", 32, {.batch_norm_epsilon = epsilon, .pooling = Pooling::average}),
        expected, "sequential_bn");
}

TEST_CASE("pictures are prepared as Keras does it, unless the options say otherwise") {
    const TemporaryFolder folder;
    import_model(folder_of_data / "functional.keras", folder / "model", with_formats());
    const auto preprocessing = ModelFile::open(folder / "model").description().preprocessing;
    CHECK(preprocessing.channel_order == ChannelOrder::bgr);
    CHECK(preprocessing.range == 255);
    CHECK(preprocessing.mean == std::array<float, 3>{103.939F, 116.779F, 123.68F});
    CHECK(preprocessing.deviation == std::array<float, 3>{1, 1, 1});
    CHECK(preprocessing.input_size == vgg19::MapSize(64));

    import_model(
        folder_of_data / "functional.keras", folder / "other",
        with_formats({.mean = {{0.5F, 0.5F, 0.5F}}, .channel_order = ChannelOrder::rgb, .range = 1.0F}));
    CHECK(ModelFile::open(folder / "other").description().preprocessing.channel_order == ChannelOrder::rgb);
    CHECK(ModelFile::open(folder / "other").description().preprocessing.range == 1);
}

TEST_CASE("Keras's default epsilon is used for weights alone") {
    const TemporaryFolder folder;
    import_model(folder_of_data / "numbered.weights.h5", folder / "model", with_formats());
    CHECK(ModelFile::open(folder / "model").description().lineage.front() == Containing("epsilon 0.001"));
}

TEST_CASE("a ReLU behind the last layer of Keras is left out and named") {
    const TemporaryFolder folder;
    write_bytes(folder / "relu.keras", with_config("\"softmax\"", "\"relu\""));
    const auto report = import_model(folder / "relu.keras", folder / "model", with_formats());
    CHECK(std::count(report.notes.begin(), report.notes.end(),
                     "predictions (relu), after the last layer, is left out: the outputs are its inputs") ==
          1);
}

TEST_CASE("pools of Keras that round sizes up are named") {
    const TemporaryFolder folder;
    const auto names_them = [&](const std::string& from, const std::string& to) {
        write_bytes(folder / "changed.keras", with_config(from, to));
        const auto notes = import_model(folder / "changed.keras", folder / "model", with_formats()).notes;
        return std::count(notes.begin(), notes.end(), rounds_up_text) == 1;
    };
    const std::string strides = "\"strides\": [2, 2]";
    CHECK(!names_them(strides, strides));
    CHECK(names_them("\"padding\": \"valid\"", "\"padding\": \"same\""));
}

TEST_CASE("layers of Keras that a VGG does not have are refused by name") {
    const auto refusal = [](const std::string& from, const std::string& to,
                            const std::string& file = "functional.keras") {
        return foreign_refusal(with_config(from, to, file));
    };
    CHECK(refusal("\"relu\"", "\"elu\"") ==
          Containing("block1_conv1 (Conv2D): activation: expected relu, found elu"));
    CHECK(refusal("\"strides\": [1, 1]", "\"strides\": [2, 2]") ==
          Containing("strides: expected 1, found [2,2]"));
    CHECK(refusal("\"padding\": \"same\"", "\"padding\": \"valid\"") ==
          Containing("expected 3×3 filters with padding same, found (4, 3, 3, 3) with padding valid"));
    CHECK(refusal("\"pool_size\": [2, 2]", "\"pool_size\": [3, 3]") ==
          Containing("block1_pool (MaxPooling2D): pool_size: expected 2, found [3,3]"));
    CHECK(refusal("\"Flatten\"", "\"GlobalMaxPooling2D\"") ==
          Containing("flatten (GlobalMaxPooling2D): expected"));
    CHECK(refusal("\"keras_history\": [\"block1_pool\"", "\"keras_history\": [\"block1_conv1\"") ==
          Containing("block2_conv1 (Conv2D): expected to read the output of block1_pool"));
    CHECK(refusal("\"block3_conv2\"", "\"renamed\"") == Containing("renamed (Conv2D): expected its weights"));
    CHECK(refusal("\"MaxPooling2D\"", "\"Dropout\"") == Containing("pools after 8 convolutions"));
    CHECK(refusal("\"InputLayer\"", "\"Rescaling\"") == Containing("--range, --mean and --std"));
    CHECK(refusal("\"relu\"", "\"linear\"") == Containing("where its ReLU should be"));
    CHECK(refusal("\"layers\"", "\"levels\"") ==
          Containing("expected a network's layers in its configuration"));
}

TEST_CASE("a damaged HDF5 file is an error, whatever the library does with it") {
    const std::string content = read_bytes(folder_of_data / "old_weights.h5");
    CHECK(foreign_refusal(content.substr(0, content.size() / 2)) == Containing("damaged"));
    CHECK(foreign_refusal("\x89HDF\r\n\x1a\n") == Containing("damaged: expected an HDF5 file"));
    std::size_t refused = 0;
    const TemporaryFolder folder;
    constexpr std::size_t step = 1499;
    for (std::size_t place = 8; place < content.size(); place += step) {
        std::string changed = content;
        changed[place] = static_cast<char>(changed[place] ^ '\xff');
        vgg19::converter::testing::write_bytes(folder / "weights", changed);
        try {
            import_model(folder / "weights", folder / "model", with_formats());
        } catch (const vgg19::Error& error) {
            CHECK(error.kind() == vgg19::ErrorKind::bad_input);
            ++refused;
        }
    }
    CHECK(refused > 0);
}
