#include "engine/model/model_file.h"

#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <functional>
#include <limits>

#include "engine/model/description.h"
#include "engine/model/sha256.h"
#include "engine/model/testing/fixture.h"
#include "engine/testing/error_of.h"
#include "engine/testing/narrow_model.h"
#include "kernels/common/testing/random.h"

namespace vgg19::model {

namespace {

using testing::Fixture;
using testing::tiny_network;
using vgg19::testing::Containing;
using vgg19::testing::error_of;
using vgg19::testing::TemporaryFolder;

void set(Metadata& metadata, const std::string& key, const std::string& value) {
    for (auto& [name, old] : metadata) {
        if (name == key) old = value;
    }
}

void flip_byte(const std::filesystem::path& path, std::uint64_t offset) {
    std::fstream stream(path, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(static_cast<std::streamoff>(offset));
    const auto byte = static_cast<char>(stream.get() ^ 1);
    stream.seekp(static_cast<std::streamoff>(offset));
    stream.put(byte);
}

}  // namespace

TEST_CASE("a model reads back as it was written, with all of its description") {
    Fixture fixture;
    INFO(fixture.replay());
    Preprocessing& preprocessing = fixture.description().preprocessing;
    preprocessing.input_size = 160;
    preprocessing.resize_ratio = 1.0 / 0.875;
    preprocessing.mean = {0.1F, 1e-7F, -3.0F};
    fixture.write();
    const ModelFile model = ModelFile::open(fixture.path());
    CHECK(model.network() == tiny_network());
    CHECK(model.description().preprocessing.input_size == 160);
    CHECK(model.description().preprocessing.resize_ratio == preprocessing.resize_ratio);
    CHECK(model.description().preprocessing.mean == preprocessing.mean);
    CHECK(model.description().preprocessing.deviation == preprocessing.deviation);
    CHECK(model.description().variant == "baseline");
    CHECK(model.description().source_sha256 == std::string(64, 'a'));
    CHECK(model.description().lineage == fixture.description().lineage);
    CHECK(model.path() == fixture.path());
    CHECK(model.file_bytes() == std::filesystem::file_size(fixture.path()));
    for (const Tensor& tensor : fixture.tensors()) {
        const std::span<const std::byte> found = model.tensor(tensor.name).bytes;
        CHECK(std::equal(found.begin(), found.end(), tensor.bytes.begin(), tensor.bytes.end()));
        CHECK(*find(model.file().metadata(), "checksum." + tensor.name) ==
              "sha256:" + sha256_hex(tensor.bytes));
    }
    CHECK_FALSE(model.is_int8("classifier.0"));
    model.verify_checksums();
}

TEST_CASE("a head and class names that differ from torchvision's are stored in the file") {
    Fixture usual;
    usual.write();
    CHECK(find(ModelFile::open(usual.path()).file().metadata(), "pooled_side") == nullptr);
    CHECK(find(ModelFile::open(usual.path()).file().metadata(), "class_names") == nullptr);

    const Network network = Network::parse("2 M 3 M 2 2 M 2 2 M 1 2 M", "3", 2);
    Fixture fixture(network);
    INFO(fixture.replay());
    fixture.description().class_names = {"ant", "\"bee\", or wasp", "Möwe"};
    fixture.write();
    const ModelFile model = ModelFile::open(fixture.path());
    CHECK(model.network() == network);
    CHECK(model.tensor("classifier.0.weight").shape == std::vector<std::size_t>{3, 8});
    CHECK(model.description().class_names == fixture.description().class_names);
    const auto problem = [&](const char* key, const char* value) {
        return fixture.open_error([&](Metadata& metadata) {
            for (auto& [name, text] : metadata) {
                if (name == key) text = value;
            }
        });
    };
    CHECK(problem("pooled_side", "2x") ==
          Containing("metadata \"pooled_side\": expected a whole number, found \"2x\""));
    CHECK(problem("pooled_side", "0") == Containing("pooled side: expected a number from 1 to 256, found 0"));
    CHECK(problem("pooled_side", "3") == Containing("classifier.0.weight: expected"));
    CHECK(problem("class_names", "[\"a\",\"b\"]") == Containing("expected 3 different names"));
    CHECK(problem("class_names", "[\"a\",\"b\",\"a\"]") == Containing("expected 3 different names"));
    CHECK(problem("class_names", "[\"a\",\"b\",3]") == Containing("expected 3 different names"));
    CHECK(problem("class_names", "{\"a\":1}") == Containing("expected 3 different names"));
}

TEST_CASE("each dense layer's weights may be in either order") {
    Fixture fixture;
    const std::vector<DenseLayer> layers = tiny_network().dense_layers();
    fixture.make_input_major(layers[1]);
    fixture.write();
    const ModelFile model = ModelFile::open(fixture.path());
    CHECK(model.order(layers[0]) == DenseOrder::output_major);
    CHECK(model.order(layers[1]) == DenseOrder::input_major);
    CHECK(model.weight(layers[0]).name == "classifier.0.weight");
    CHECK(model.weight(layers[1]).name == "classifier.3.weight_transposed");
    CHECK(model.weight(layers[1]).shape == std::vector<std::size_t>{4, 3});
    model.verify_checksums();
}

TEST_CASE("a dense layer has its weights in one order, not in both or neither") {
    const DenseLayer first = tiny_network().dense_layers()[0];
    Fixture both;
    both.make_input_major(first);
    both.add("classifier.0.weight", DType::f32, {4, 98}, 0);
    Fixture neither;
    neither.remove("classifier.0.weight");
    Fixture misshapen;
    misshapen.make_input_major(first);
    misshapen.tensor("classifier.0.weight_transposed").shape = {4, 98};
    Fixture without_scale;
    without_scale.remove("classifier.0.weight");
    without_scale.add("classifier.0.weight_transposed", DType::i8, {98, 4}, 1);
    const auto check = [](Fixture& fixture, const char* problem) {
        for (const std::string& message : {fixture.write_error(), fixture.open_error([](Metadata&) {})}) {
            CHECK(message == Containing("m.safetensors: 1 problem with its tensors:"));
            CHECK(message == Containing(problem));
        }
    };
    check(both,
          "\n  classifier.0: expected classifier.0.weight or classifier.0.weight_transposed, found both");
    check(neither,
          "\n  classifier.0.weight: missing; expected F32 (4, 98) or classifier.0.weight_transposed "
          "F32 (98, 4)");
    check(misshapen, "\n  classifier.0.weight_transposed: expected F32 (98, 4), found F32 (4, 98)");
    check(without_scale, "\n  classifier.0.weight_scale: missing; expected F32 (4)");
}

TEST_CASE("all problems of the tensors are reported at once, on writing and on opening") {
    Fixture fixture;
    fixture.remove("features.3.bias");
    fixture.tensor("features.0.weight").shape = {3, 2, 3, 3};
    fixture.remove("classifier.6.bias");
    fixture.add("classifier.6.bias", DType::f16, {5}, 0);
    fixture.add("extra", DType::u8, {4}, 0);
    fixture.values("classifier.0.bias")[1] = std::numeric_limits<float>::infinity();
    for (const std::string& message : {fixture.write_error(), fixture.open_error([](Metadata&) {})}) {
        CHECK(message == Containing("m.safetensors: 5 problems with its tensors:"));
        CHECK(message == Containing("\n  features.3.bias: missing; expected F32 (3)"));
        CHECK(message ==
              Containing("\n  features.0.weight: expected F32 (2, 3, 3, 3), found F32 (3, 2, 3, 3)"));
        CHECK(message == Containing("\n  classifier.6.bias: expected F32 (5), found F16 (5)"));
        CHECK(message == Containing("\n  extra: not in the network, or there twice"));
        CHECK(message == Containing("\n  classifier.0.bias: element 1: expected a finite number, found inf"));
    }
}

TEST_CASE("a tensor that is given twice is not written") {
    Fixture fixture;
    fixture.tensors().push_back(fixture.tensors().front());
    CHECK(fixture.write_error() == Containing("features.0.weight: not in the network, or there twice"));
    CHECK(std::filesystem::is_empty(fixture.folder().path()));
}

TEST_CASE("the message for thousands of problems is short") {
    Fixture fixture;
    for (int i = 0; i < 3000; ++i) fixture.add("extra " + std::to_string(i), DType::u8, {1}, 0);
    const std::string message = fixture.write_error();
    CHECK(message == Containing("3000 problems"));
    CHECK(message == Containing("\n  and 2900 more"));
}

TEST_CASE("a weight that is not finite is named with its element, and nothing is written") {
    Fixture fixture;
    const std::string old = "old";
    std::ofstream(fixture.path()) << old;
    fixture.values("features.3.weight")[17] = std::nanf("");
    fixture.values("classifier.6.weight")[0] = -std::numeric_limits<float>::infinity();
    const std::string message = fixture.write_error();
    CHECK(message == Containing("\n  features.3.weight: element 17: expected a finite number, found nan"));
    CHECK(message == Containing("\n  classifier.6.weight: element 0: expected a finite number, found -inf"));
    CHECK(std::filesystem::file_size(fixture.path()) == old.size());
}

TEST_CASE("the error for a file that is not a model names its kind, and the command to use") {
    const TemporaryFolder folder;
    const auto message = [&](const std::string& content) {
        std::filesystem::remove(folder / "file");
        std::ofstream(folder / "file", std::ios::binary) << content;
        return error_of(ErrorKind::bad_input, [&] { ModelFile::open(folder / "file"); });
    };
    CHECK(message("PK\3\4 and more of it") == (folder / "file").string() +
                                                  ": expected a safetensors file, found a zip file, as "
                                                  "PyTorch's .pth and .pt are; `vgg19 convert FILE "
                                                  "-o MODEL.safetensors` makes a model of it");
    CHECK(message("\x80\2}q") == Containing("found a pickle, as PyTorch's older .pth is; `vgg19 convert"));
    CHECK(message("\x89PNG\r\n\x1a\n and more of it") ==
          Containing("found a picture (PNG); a model is needed"));
    CHECK(message("") == Containing("found an empty file"));
    CHECK(message("neither this nor that, in words") == Containing("found a text"));
    CHECK(message("Not Found") == Containing("found a text"));
    CHECK(message("\1\2\3\4\5\6\7\x08\x09") ==
          Containing("expected a safetensors file, found a file that begins with bytes 01 02 03"));
    // A file from another program: unaligned, and with a type that vgg19 models do not have.
    const std::string header = R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[1,5]},)"
                               R"("b":{"dtype":"F4","shape":[2],"data_offsets":[0,1]}})";
    CHECK(message(static_cast<char>(header.size()) + std::string(7, '\0') + header + "12345") ==
          Containing("import it with `vgg19 convert`"));
    CHECK(error_of(ErrorKind::bad_input, [&] { ModelFile::open(folder.path()); }) ==
          Containing("expected a file, found a directory; name a file in it"));
}

TEST_CASE("metadata that is not a model's is rejected with the key") {
    struct Case {
        const char* key;
        const char* value;
        const char* message;
    };
    const Case cases[] = {
        {"format", "pt",
         "expected a model that vgg19 wrote, found other metadata; import it with `vgg19 convert`"},
        {"format_version", "3", R"(metadata "format_version": expected "1" or "2", found "3")"},
        {"features", "2 M", "network description: features: expected 5 pools before a classifier, found 1"},
        {"classifier", "1 x 2", "network description: classifier entry 2"},
        {"preprocessing.input_size", "31",
         "expected a whole number from 32 to 8192, or two as HEIGHTxWIDTH, found \"31\""},
        {"preprocessing.input_size", "9000",
         "expected a whole number from 32 to 8192, or two as HEIGHTxWIDTH, found \"9000\""},
        {"preprocessing.input_size", "224x",
         "expected a whole number from 32 to 8192, or two as HEIGHTxWIDTH, found \"224x\""},
        {"preprocessing.input_size", "224x31",
         "expected a whole number from 32 to 8192, or two as HEIGHTxWIDTH, found \"224x31\""},
        {"preprocessing.resize_ratio", "0.5", "expected a number from 1 to 8, found \"0.5\""},
        {"preprocessing.resize_ratio", "nan", "expected a number from 1 to 8, found \"nan\""},
        {"preprocessing.mean", "1 2", R"("preprocessing.mean": expected three finite numbers, found "1 2")"},
        {"preprocessing.mean", "1 2 3 4", "expected three finite numbers, found \"1 2 3 4\""},
        {"preprocessing.mean", "1 2 inf", "expected three finite numbers, found \"1 2 inf\""},
        {"preprocessing.deviation", "1 0 1",
         R"("preprocessing.deviation": expected positive numbers, found "1 0 1")"},
        {"preprocessing.interpolation", "nearest", R"(expected "bilinear antialiased", found "nearest")"},
    };
    Fixture fixture;
    for (const Case& each : cases) {
        CAPTURE(each.key);
        CAPTURE(each.value);
        const std::string message =
            fixture.open_error([&each](Metadata& metadata) { set(metadata, each.key, each.value); });
        CHECK(message == Containing(each.message));
        CHECK(message.starts_with(fixture.path().string() + ": "));
    }
}

TEST_CASE("what only the second version of the format has reads back, and older files lack it") {
    const auto version_of = [](const Description& description) {
        return *find(metadata_from_description(description), "format_version");
    };
    Fixture fixture;
    CHECK(version_of(fixture.description()) == "1");
    fixture.write();
    const Description older = ModelFile::open(fixture.path()).description();
    CHECK(older.preprocessing.channel_order == ChannelOrder::rgb);
    CHECK(older.preprocessing.range == 1);
    CHECK(older.pooling == Pooling::max);

    const auto changes = {
        +[](Description& d) { d.preprocessing.channel_order = ChannelOrder::bgr; },
        +[](Description& d) { d.preprocessing.range = 255; },
        +[](Description& d) { d.pooling = Pooling::average; },
    };
    for (const auto& change : changes) {
        Fixture changed;
        change(changed.description());
        CHECK(version_of(changed.description()) == "2");
        changed.write();
        const Description found = ModelFile::open(changed.path()).description();
        CHECK(found.preprocessing == changed.description().preprocessing);
        CHECK(found.pooling == changed.description().pooling);
    }
}

TEST_CASE("wrong values of keys that may be absent are rejected with the key") {
    struct Case {
        const char* key;
        const char* value;
        const char* message;
    };
    Fixture fixture;
    for (const Case& each :
         {Case{"preprocessing.channel_order", "rgb", R"(expected "RGB" or "BGR", found "rgb")"},
          Case{"preprocessing.range", "0.5", R"(expected a number from 1 to 65535, found "0.5")"},
          Case{"preprocessing.range", "nan", R"(expected a number from 1 to 65535, found "nan")"},
          Case{"preprocessing.range", "255 ", R"(expected a number from 1 to 65535, found "255 ")"},
          Case{"pooling", "mean", R"(metadata "pooling": expected "max" or "average", found "mean")"}}) {
        CAPTURE(each.key);
        const auto add = [&each](Metadata& metadata) { metadata.emplace_back(each.key, each.value); };
        CHECK(fixture.open_error(add) == Containing(each.message));
    }
}

TEST_CASE("every key of the description is needed") {
    Fixture fixture;
    for (const auto& described : metadata_from_description(fixture.description())) {
        const std::string& key = described.first;
        if (key == "format" || key.starts_with("lineage.")) continue;
        CAPTURE(key);
        const auto remove = [&key](Metadata& metadata) {
            std::erase_if(metadata, [&key](const auto& entry) { return entry.first == key; });
        };
        CHECK(fixture.open_error(remove) ==
              Containing("metadata \"" + key + "\": expected a value, found none"));
    }
    CHECK(fixture.open_error([](Metadata& metadata) { metadata.clear(); }) == Containing("`vgg19 convert`"));
}

TEST_CASE("a network that contradicts the tensors is reported per tensor") {
    Fixture fixture;
    const std::string message =
        fixture.open_error([](Metadata& metadata) { set(metadata, "classifier", "4 3 6"); });
    CHECK(message == Containing("2 problems"));
    CHECK(message == Containing("classifier.6.weight: expected F32 (6, 3), found F32 (5, 3)"));
    CHECK(message == Containing("classifier.6.bias: expected F32 (6), found F32 (5)"));
}

TEST_CASE("checksums that differ are all listed") {
    Fixture fixture;
    fixture.write();
    for (const char* name : {"features.0.weight", "classifier.6.weight"}) {
        const SafetensorsFile file = SafetensorsFile::open(fixture.path());
        flip_byte(fixture.path(),
                  static_cast<std::uint64_t>(file.find(name)->bytes.data() - file.mapping().bytes().data()));
    }
    const ModelFile model = ModelFile::open(fixture.path());
    const std::string message = error_of(ErrorKind::bad_input, [&] { model.verify_checksums(); });
    CHECK(message == Containing("2 problems"));
    CHECK(message == Containing("features.0.weight: expected checksum sha256:"));
    CHECK(message == Containing("classifier.6.weight: expected checksum sha256:"));
}

TEST_CASE("a model without checksums opens, and does not verify") {
    Fixture fixture;
    write_safetensors(fixture.path(), metadata_from_description(fixture.description()), fixture.tensors());
    const ModelFile model = ModelFile::open(fixture.path());
    CHECK(error_of(ErrorKind::bad_input, [&] { model.verify_checksums(); }) ==
          Containing("features.0.bias: expected a checksum in the metadata, found none"));
}

TEST_CASE("a tensor that the network does not have is an error") {
    Fixture fixture;
    fixture.write();
    const ModelFile model = ModelFile::open(fixture.path());
    CHECK(error_of(ErrorKind::bad_input, [&] { model.tensor("features.1.weight"); }) ==
          Containing("m.safetensors: tensor features.1.weight: missing"));
}

TEST_CASE("arbitrary bytes in a model file cause nothing but an Error") {
    Fixture fixture;
    INFO(fixture.replay());
    fixture.write();
    const auto last = static_cast<int>(std::filesystem::file_size(fixture.path())) - 1;
    for (int round = 0; round < 2000; ++round) {
        const auto offset = static_cast<std::uint64_t>(fixture.random().integer(0, last));
        std::fstream stream(fixture.path(), std::ios::in | std::ios::out | std::ios::binary);
        stream.seekg(static_cast<std::streamoff>(offset));
        const int before = stream.get();
        stream.seekp(static_cast<std::streamoff>(offset));
        stream.put(static_cast<char>(fixture.random().integer(0, 255)));
        stream.flush();
        try {
            ModelFile::open(fixture.path()).verify_checksums();
        } catch (const Error& error) {
            CHECK(error.kind() == ErrorKind::bad_input);
        }
        stream.seekp(static_cast<std::streamoff>(offset));
        stream.put(static_cast<char>(before));
    }
    ModelFile::open(fixture.path()).verify_checksums();
}

TEST_CASE("a truncated model file is rejected") {
    Fixture fixture;
    fixture.write();
    const std::uintmax_t size = std::filesystem::file_size(fixture.path());
    for (std::uintmax_t length = size; length-- > 0;) {
        std::filesystem::resize_file(fixture.path(), length);
        if (length % 37 != 0 && length > 16 && length + 16 < size) continue;
        CAPTURE(length);
        error_of(ErrorKind::bad_input, [&] { ModelFile::open(fixture.path()); });
    }
}

TEST_CASE("a command must not overwrite its input, under any name") {
    const TemporaryFolder folder;
    write_text_file(folder / "input", "x");
    write_text_file(folder / "other", "x");
    std::filesystem::create_symlink("input", folder / "symbolic");
    std::filesystem::create_hard_link(folder / "input", folder / "hard");
    for (const char* name : {"input", "./input", "symbolic", "hard"}) {
        CAPTURE(name);
        CHECK(error_of(ErrorKind::usage, [&] { require_other_file(folder / "input", folder / name); }) ==
              Containing("expected another file to write, found the input"));
    }
    require_other_file(folder / "input", folder / "other");
    require_other_file(folder / "input", folder / "none");
}

TEST_CASE("a file that changes after it was opened is not verified") {
    Fixture fixture(Network::parse("2 M 3 M 2 2 M 2 2 M 1 2 M", "45000 3 5"));
    fixture.write();
    const ModelFile model = ModelFile::open(fixture.path());
    REQUIRE(model.file_bytes() > MappedFile::largest_read);
    model.verify_checksums();
    std::ofstream(fixture.path(), std::ios::app) << "more";
    CHECK(error_of(ErrorKind::bad_input, [&] { model.verify_checksums(); }) ==
          Containing("expected the file as it was when it was opened"));
}

}  // namespace vgg19::model
