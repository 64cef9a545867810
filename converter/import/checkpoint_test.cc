// Reads realistic checkpoint files, written by testdata/make_checkpoints.py.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "converter/import/state_dict.h"
#include "converter/import/testing/fixture_values.h"
#include "converter/import/testing/refusal.h"
#include "converter/import/testing/zip_writer.h"
#include "engine/testing/error_of.h"

namespace {

using vgg19::ErrorKind;
using vgg19::converter::CheckpointFacts;
using vgg19::converter::StateDict;
using vgg19::converter::StoredTensor;
using vgg19::converter::testing::fixture_value;
using vgg19::converter::testing::refusal;
using vgg19::converter::testing::zip_file;
using vgg19::testing::Containing;
using vgg19::testing::error_of;

const std::filesystem::path testdata = VGG19_IMPORT_TESTDATA;

std::vector<double> values_of(const StoredTensor& tensor, const StateDict& dict) {
    std::vector<double> values(tensor.elements());
    vgg19::converter::read_values<double>(tensor, dict.mapping(), values);
    return values;
}

const StoredTensor* find(const StateDict& dict, std::string_view name) {
    const auto found = std::find_if(dict.tensors().begin(), dict.tensors().end(),
                                    [name](const StoredTensor& tensor) { return tensor.name == name; });
    return found == dict.tensors().end() ? nullptr : &*found;
}

bool says(const CheckpointFacts& facts, const std::string& skipped) {
    return std::find(facts.skipped.begin(), facts.skipped.end(), skipped) != facts.skipped.end();
}

std::string open_error(const char* file) {
    return error_of(ErrorKind::bad_input, [file] { StateDict::open(testdata / file); });
}

/// The number of a VGG's tensors below `prefix`; all of them have the fixtures' values.
std::size_t checked_tensors(const StateDict& dict, const std::string& prefix) {
    std::size_t count = 0;
    for (const StoredTensor& tensor : dict.tensors()) {
        const std::string name = tensor.name.starts_with(prefix) ? tensor.name.substr(prefix.size()) : "";
        const bool of_vgg = name.starts_with("features.") || name.starts_with("classifier.");
        if (!of_vgg || name.ends_with("num_batches_tracked")) continue;
        ++count;
        CAPTURE(tensor.name);
        const std::vector<double> values = values_of(tensor, dict);
        CHECK(!values.empty());
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (values[i] != fixture_value(name, i)) FAIL_CHECK("element " << i << " is " << values[i]);
        }
    }
    return count;
}

TEST_CASE("a VGG's tensors are found anywhere in a file, next to anything") {
    const std::map<std::string, std::string> prefixes = {{"leavings_2.pth", "model_state_dict."},
                                                         {"leavings_4.pth", "model_state_dict."},
                                                         {"leavings_5.pth", "model_state_dict."},
                                                         {"leavings_legacy.pth", "model_state_dict."},
                                                         {"protocol_1.pth", ""},
                                                         {"data_parallel.pth", "net.module."},
                                                         {"lightning.ckpt", "state_dict.model."},
                                                         {"arrays_0.pkl", ""},
                                                         {"arrays_2.pkl", ""},
                                                         {"arrays_5.pkl", ""},
                                                         {"arrays.pth", ""},
                                                         {"no_folder.pth", ""},
                                                         {"streamed.pth", ""},
                                                         {"checkpoint_float16.pth", "state_dict."}};
    for (const auto& entry : prefixes) {
        const std::string& file = entry.first;
        CAPTURE(file);
        const StateDict dict = StateDict::open(testdata / file);
        const bool vgg16 = file.starts_with("checkpoint");
        CHECK(checked_tensors(dict, entry.second) == (vgg16 ? 32 : 22));
    }
    const StateDict module = StateDict::open(testdata / "module.pth");
    CHECK(checked_tensors(module, "") == 54);
    CHECK(find(module, "features.1.num_batches_tracked") != nullptr);
}

TEST_CASE("other contents of training checkpoints become facts") {
    for (const char* file : {"leavings_2.pth", "leavings_4.pth", "leavings_5.pth", "leavings_legacy.pth"}) {
        CAPTURE(file);
        const bool legacy = std::string(file) == "leavings_legacy.pth";
        const StateDict dict = StateDict::open(testdata / file);
        const CheckpointFacts& facts = dict.facts();
        REQUIRE(facts.class_names.size() == 1);
        CHECK(facts.class_names[0].path == "class_to_idx");
        CHECK(facts.class_names[0].names == std::vector<std::string>{"cat", "cow", "dog"});
        REQUIRE(facts.batch_norm_epsilons.size() == (legacy ? 1 : 2));
        CHECK(facts.batch_norm_epsilons[0].path == "args.bn_eps");
        CHECK(facts.batch_norm_epsilons[0].value == 1e-3);
        CHECK(facts.quantized == std::vector<std::string>{"quantized", "quantized_channels"});
        CHECK(says(facts, "epoch: an integer"));
        CHECK(says(facts, "args: 7 values in an argparse.Namespace") !=
              says(facts, "args: 8 values in an argparse.Namespace"));
        CHECK(says(facts, "losses: 300 values in a list"));
        CHECK(says(facts, "complex: 1 tensor (complex64)"));
        CHECK(says(facts, "sparse: 1 tensor (sparse)"));
        CHECK(says(facts, "meta: 1 tensor (without data)"));
        CHECK(says(facts, "big_endian: 1 tensor (NumPy's f4, big-endian)"));
        CHECK(says(facts, "float8: 1 tensor (float8_e4m3fn)") == !legacy);
        CHECK(says(facts, "uint16: 1 tensor (uint16)") == !legacy);
        CHECK(!says(facts, "class_to_idx: 3 values in a dict"));
        for (const char* key : {"7", "None", "1.5", "True", "optimizer.state.0.exp_avg", "rng"}) {
            CAPTURE(key);
            CHECK(find(dict, key) != nullptr);
        }
    }
    const StateDict dict = StateDict::open(testdata / "leavings_2.pth");
    CHECK(dict.facts().batch_norm_epsilons[1].path == "norm_layer.eps");
    CHECK(dict.facts().batch_norm_epsilons[1].value == 1e-4);
}

TEST_CASE("NumPy's arrays are read in either order") {
    const StateDict dict = StateDict::open(testdata / "leavings_2.pth");
    CHECK(values_of(*find(dict, "history"), dict) == std::vector<double>{0, 1, 2, 3});
    CHECK(find(dict, "columns")->strides == std::vector<std::size_t>{1, 2});
    CHECK(values_of(*find(dict, "columns"), dict) == std::vector<double>{0, 1, 2, 3, 4, 5});
}

TEST_CASE("the epsilons of batch norms are read from modules") {
    const StateDict dict = StateDict::open(testdata / "module.pth");
    const CheckpointFacts& facts = dict.facts();
    REQUIRE(facts.batch_norm_epsilons.size() == 8);
    for (const auto& epsilon : facts.batch_norm_epsilons) {
        CHECK(epsilon.value == 1e-3);
        CHECK(find(dict, epsilon.path + ".running_var") != nullptr);
    }
    CHECK(facts.batch_norm_epsilons[0].path == "features.1");
    CHECK(facts.skipped.size() == 1);
    CHECK(facts.skipped[0] == Containing("modules: "));
    // Of Lightning's other settings, the optimiser's epsilon must not be taken.
    const StateDict lightning = StateDict::open(testdata / "lightning.ckpt");
    CHECK(lightning.facts().batch_norm_epsilons.empty());
    REQUIRE(lightning.facts().class_names.size() == 1);
    CHECK(lightning.facts().class_names[0].path == "hyper_parameters.classes");
}

TEST_CASE("TorchScript is read, with the epsilon in its code") {
    for (const char* file : {"script.pt", "trace.pt"}) {
        CAPTURE(file);
        const StateDict dict = StateDict::open(testdata / file);
        CHECK(checked_tensors(dict, "") == 6);
        const CheckpointFacts& facts = dict.facts();
#if VGG19_HAS_ZLIB
        REQUIRE(facts.batch_norm_epsilons.size() == 1);
        CHECK(facts.batch_norm_epsilons[0].value == 1e-3);
        CHECK(facts.batch_norm_epsilons[0].path == Containing("code/__torch__/"));
#else
        CHECK(facts.batch_norm_epsilons.empty());
        CHECK(facts.skipped[1] == Containing("an epsilon of batch norms may be in them"));
#endif
    }
    const vgg19::testing::TemporaryFolder folder;
    vgg19::converter::testing::write_bytes(
        folder / "code", zip_file({{"s/data.pkl", "N."}, {"s/code/x.py", std::string((16 << 20) + 1, ' ')}}));
    CHECK(says(StateDict::open(folder / "code").facts(),
               "code: 1 files that cannot be read; an epsilon of batch norms may be in them"));
    CHECK(open_error("frozen.pt") == Containing("found a frozen TorchScript, in which they are constants"));
}

TEST_CASE("tensors of a safetensors file at long paths are left out, and counted") {
    const vgg19::testing::TemporaryFolder folder;
    const std::string entry = R"(":{"dtype":"F32","shape":[0],"data_offsets":[0,0]})";
    const std::string header = R"({"short.weight)" + entry + ",\"" + std::string(1000, 'a') + entry + "}";
    std::string length;
    for (unsigned shift = 0; shift < 64; shift += 8) length += static_cast<char>(header.size() >> shift);
    vgg19::converter::testing::write_bytes(folder / "long", length + header);
    const StateDict dict = StateDict::open(folder / "long");
    REQUIRE(dict.tensors().size() == 1);
    CHECK(dict.tensors()[0].name == "short.weight");
    CHECK(says(dict.facts(), "tensors at long paths: 1"));
}

TEST_CASE("expanded tensors have more elements than bytes") {
    const StateDict dict = StateDict::open(testdata / "expanded.pth");
    CHECK(dict.tensors().size() == 22);
    for (const StoredTensor& tensor : dict.tensors()) {
        CAPTURE(tensor.name);
        CHECK(tensor.bytes.size() == 4);
        for (const double value : values_of(tensor, dict)) CHECK(value == 0.5);
    }
}

TEST_CASE("tensor attributes, cycles and shared objects are followed, within limits") {
    const StateDict dict = StateDict::open(testdata / "attributes.pth");
    CHECK(values_of(*find(dict, "parameter"), dict) == std::vector<double>{1, 1, 1});
    CHECK(values_of(*find(dict, "parameter.mask"), dict) == std::vector<double>{2, 2});
    CHECK(values_of(*find(dict, "subclass"), dict) == std::vector<double>{3, 3, 3});
    CHECK(values_of(*find(dict, "subclass.note"), dict) == std::vector<double>{4, 4});
    CHECK(find(dict, "often.3.same") != nullptr);
    CHECK(find(dict, "often.4.same") == nullptr);
    CHECK(find(dict, "itself.parameter") == nullptr);
    CHECK(says(dict.facts(), "tensors' containers that more than 4 paths lead to: 6"));
}

TEST_CASE("quantised tensors are reported and left out") {
    const StateDict dict = StateDict::open(testdata / "quantize_dynamic.pth");
    REQUIRE(dict.facts().quantized.size() == 3);
    CHECK(dict.facts().quantized[1] == "classifier.3._packed_params._packed_params.0");
    CHECK(find(dict, "features.0.weight") != nullptr);
    CHECK(find(dict, "classifier.3._packed_params._packed_params.1") != nullptr);  // the bias
}

TEST_CASE("in pickles by Python's own module, each storage is a nested file") {
    for (const char* file : {"tensors_0.pkl", "tensors_4.pkl"}) {
        CAPTURE(file);
        const StateDict dict = StateDict::open(testdata / file);
        CHECK(checked_tensors(dict, "net.") == 2);
        REQUIRE(dict.facts().class_names.size() == 1);
        CHECK(dict.facts().class_names[0].names == std::vector<std::string>{"cat", "caf\xc3\xa9"});
    }
}

TEST_CASE("compressed zip files are unpacked") {
#if VGG19_HAS_ZLIB
    CHECK(checked_tensors(StateDict::open(testdata / "deflated.pth"), "") == 22);
#else
    CHECK(open_error("deflated.pth") == Containing("which this build (without zlib) does not read"));
#endif
}

TEST_CASE("the error for other zip files says what they are and what to do") {
    CHECK(open_error("arrays.npz") == Containing("found arrays of NumPy (.npz); load them with numpy.load"));
    CHECK(refusal(zip_file({{"m/model.json", "{}"}, {"m/attributes.pkl", ""}})) ==
          Containing("found TorchScript of PyTorch 1.3 or older; load it with torch.jit.load"));
    CHECK(refusal(zip_file({{"m/model.json", "{}"}, {"m/tensors/0", ""}})) ==
          Containing("found TorchScript's oldest format"));
    CHECK(refusal(zip_file({{"m/archive_format", "pt2"}, {"m/models/model.json", ""}})) ==
          Containing("found a program of torch.export (.pt2); load it with torch.export.load"));
    CHECK(refusal(zip_file({{"config.json", ""}, {"model.weights.h5", ""}})) ==
          Containing("found a model of Keras; this vgg19 was built without the HDF5 library"));
    CHECK(refusal(zip_file({{"p/.data/extern_modules", ""}, {"p/model/model.pkl", ""}})) ==
          Containing("found a package of torch.package"));
    CHECK(refusal(zip_file({{"folder/", ""}, {"folder/vgg19.pth", "PK"}})) ==
          Containing("found an archive with a .pth file in it; unpack it first"));
    CHECK(refusal(zip_file({{"word/document.xml", ""}})) == Containing("found none among its 1 files"));
    CHECK(refusal(zip_file({{"a/data.pkl", "N."}, {"b/data.pkl", "N."}})) ==
          Containing("expected one data.pkl in the zip file, found a/data.pkl and b/data.pkl"));
    CHECK(refusal(zip_file({{"a/data.pkl", "N."}, {"a/extra/data.pkl", "?"}})) ==
          Containing("expected a VGG's tensors"));
}

}  // namespace
