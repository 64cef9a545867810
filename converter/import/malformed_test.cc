#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "converter/import/names.h"
#include "converter/import/state_dict.h"
#include "converter/import/testing/files.h"
#include "converter/import/testing/pickle_writer.h"
#include "converter/import/testing/refusal.h"
#include "converter/import/torch_tensor.h"
#include "engine/testing/error_of.h"
#include "engine/testing/narrow_model.h"
#include "kernels/common/testing/random.h"

namespace {

using namespace std::string_literals;  // for texts that contain zero bytes
using vgg19::Error;
using vgg19::ErrorKind;
using vgg19::converter::import_model;
using vgg19::converter::StateDict;
using vgg19::converter::StoredTensor;
using vgg19::converter::testing::files_in;
using vgg19::converter::testing::legacy_preamble;
using vgg19::converter::testing::little_endian;
using vgg19::converter::testing::patched;
using vgg19::converter::testing::PickleWriter;
using vgg19::converter::testing::read_bytes;
using vgg19::converter::testing::refusal;
using vgg19::converter::testing::write_bytes;
using vgg19::kernels::testing::Random;
using vgg19::testing::Containing;
using vgg19::testing::error_of;
using vgg19::testing::TemporaryFolder;

const std::filesystem::path testdata = VGG19_IMPORT_TESTDATA;

TEST_CASE("the error for other files names their kind, or their first bytes") {
    CHECK(refusal("") ==
          Containing("expected a .pth file of PyTorch or a safetensors file, found an empty file"));
    using vgg19::converter::ForeignFormat;
    const auto never = [](const vgg19::model::MappedFile&) { return false; };
    const std::vector<ForeignFormat> formats = {{never, nullptr, "ONNX"}, {never, nullptr, "Keras"}};
    const TemporaryFolder folder;
    write_bytes(folder / "empty", "");
    CHECK(error_of(ErrorKind::bad_input,
                   [&] { import_model(folder / "empty", folder / "model", {.formats = formats}); }) ==
          Containing("expected a .pth file of PyTorch, a safetensors file or one of ONNX or Keras, "
                     "found an empty file"));
    CHECK(error_of(ErrorKind::usage, [&] { import_model(folder / "empty", ""); }) ==
          "output: expected the path of the file to write, found none");
    CHECK(refusal("\x01\x8b\x08") == Containing("found a file that begins with bytes 01 8b 08"));
    CHECK(refusal("\x1f\x8b\x08") == Containing("found a gzip file; unpack it first"));
    CHECK(refusal("<html>404</html>") == Containing("found a web page (HTML)"));
    CHECK(refusal("{\"not\": 1}") == Containing("found a text (JSON)"));
}

TEST_CASE("a folder or a missing file is not a state dict") {
    const TemporaryFolder folder;
    const auto import = [&](const std::filesystem::path& path) { import_model(path, folder / "model"); };
    error_of(ErrorKind::bad_input, [&] { import(folder.path()); });
    error_of(ErrorKind::bad_input, [&] { import(folder / "missing.pth"); });
    CHECK(files_in(folder) == 0);
}

TEST_CASE("a truncated file is refused") {
    for (const char* name : {"zip.pth", "zip64.pth", "legacy.pth", "plain.safetensors"}) {
        const std::string content = read_bytes(testdata / name);
        const std::size_t step = content.size() / 60;
        for (std::size_t size = 0; size < content.size(); size += step) {
            CAPTURE(name);
            CAPTURE(size);
            refusal(content.substr(0, size));
        }
        refusal(content.substr(0, content.size() - 1));
    }
}

// --- The zip format ---

const std::string& good_zip() {
    static const std::string content = read_bytes(testdata / "zip.pth");
    return content;
}

/// The offset of that file's entry in the central directory.
std::size_t directory_entry(const std::string& file) {
    return good_zip().rfind(file) - 46;
}
std::size_t local_header(const std::string& file) {
    return good_zip().find(file) - 30;
}

std::string zip_refusal(std::size_t offset, const std::string& bytes) {
    return refusal(patched(good_zip(), offset, bytes));
}

TEST_CASE("zip: entries that are encrypted, or use unsupported compression, are refused") {
    const std::size_t entry = directory_entry("zip/data/0");
    const std::string file = "zip: file zip/data/0: expected ";
    CHECK(zip_refusal(entry + 8, "\x01") == Containing(file + "it readable, found it encrypted"));
    CHECK(zip_refusal(entry + 10, "\x0c") ==
          Containing(file + "it stored or compressed with DEFLATE, found compression method 12"));
    CHECK(zip_refusal(entry + 20, little_endian(7, 4)) ==
          Containing(file + "216 bytes, as it is not compressed, found 7"));
    CHECK(zip_refusal(entry + 10, "\x08") == Containing(file));  // not valid DEFLATE data
}

TEST_CASE("zip: entries with wrong positions are refused") {
    const std::size_t entry = directory_entry("zip/data/0");
    CHECK(zip_refusal(entry + 42, little_endian(0xfffffff0, 4)) ==
          Containing("expected its header at byte 4294967280"));
    CHECK(zip_refusal(entry + 42, little_endian(5, 4)) ==
          Containing("byte 5: zip: expected the header of file zip/data/0, found something else"));
    CHECK(zip_refusal(entry + 20, little_endian(0x7fffffff, 4) + little_endian(0x7fffffff, 4)) ==
          Containing("expected it before the central directory"));
    CHECK(zip_refusal(entry + 20, little_endian(4, 4) + little_endian(4, 4)) ==
          Containing("zip/data/0: expected 216 bytes, found 4"));
    CHECK(zip_refusal(entry + 20, little_endian(0xffffffff, 4) + little_endian(0xffffffff, 4)) ==
          Containing("expected 8 bytes for a zip64 field, found"));
    CHECK(zip_refusal(local_header("zip/data/0") + 30, "zap") ==
          Containing("zip: expected the name zip/data/0 in its header, found another"));
    CHECK(zip_refusal(entry, "XX") == Containing("zip: expected an entry of the central directory"));
}

TEST_CASE("zip: an inconsistent directory is refused") {
    // PyTorch always writes zip64 records; without their locator the older record applies.
    const std::string plain = patched(good_zip(), good_zip().size() - 42, "XX");
    const std::size_t end = plain.size() - 22;
    const auto plain_refusal = [&](std::size_t offset, const std::string& bytes) {
        return refusal(patched(plain, offset, bytes));
    };
    CHECK(plain_refusal(end, "XX") ==
          Containing("zip: expected the end record of the central directory, found none"));
    CHECK(plain_refusal(end + 20, "\x01") == Containing("zip: expected the end record"));
    CHECK(plain_refusal(end + 16, little_endian(0xffffffff, 4)) ==
          Containing("zip: expected a central directory before here"));
    CHECK(plain_refusal(end + 12, little_endian(0xffffffff, 4)) ==
          Containing("zip: expected a central directory before here"));
    CHECK(plain_refusal(end + 10, little_endian(2, 2)) ==
          Containing("zip: expected 2 entries in the central directory, found more"));
    CHECK(plain_refusal(end + 10, little_endian(0xffff, 2)) ==
          Containing("bytes for an entry of the central directory, found 0"));
}

TEST_CASE("zip64: inconsistent records are refused") {
    const std::string good = read_bytes(testdata / "zip64.pth");
    const std::size_t locator = good.rfind("PK\x06\x07");
    const std::size_t end = good.rfind("PK\x06\x06");
    CHECK(refusal(patched(good, locator + 8, little_endian(~0ULL, 8))) ==
          Containing("zip: expected the zip64 end record before here, found offset 18446744073709551615"));
    CHECK(refusal(patched(good, locator + 8, little_endian(3, 8))) ==
          Containing("zip: expected the zip64 end record"));
    CHECK(refusal(patched(good, end + 48, little_endian(~0ULL, 8))) ==
          Containing("zip: expected a central directory before here"));
    CHECK(refusal(patched(good, end + 32, little_endian(~0ULL, 8))) ==
          Containing("expected 4 bytes for an entry"));
    const std::size_t extra = good.rfind("zip/data/0") + 10 + 8 + 4;
    CHECK(refusal(patched(good, extra, little_endian(~0ULL, 8) + little_endian(~0ULL, 8))) ==
          Containing("expected it before the central directory"));
    CHECK(refusal(patched(good, extra + 16, little_endian(~0ULL, 8))) ==
          Containing("expected its header at byte 18446744073709551615"));
}

TEST_CASE("zip: each file must occur once") {
    const auto renamed = [](const std::string& from, const std::string& to) {
        return patched(patched(good_zip(), good_zip().find(from), to), good_zip().rfind(from), to);
    };
    CHECK(refusal(renamed("zip/data/9", "zip/data/0")) ==
          Containing("zip: expected each file once, found zip/data/0 again"));
    CHECK(refusal(renamed("zip/data/9", "zip/data/x")) ==
          Containing("tensor features.11.bias: storage 9 is not in the file"));
    CHECK(refusal(renamed("zip/data.pkl", "zip/data.pkx")) ==
          Containing(
              "expected a data.pkl in the zip file, as PyTorch writes it, found none among its 28 files"));
}

TEST_CASE("zip: the byte order is little endian") {
    const std::size_t value = good_zip().find("little");
    CHECK(zip_refusal(value, "big   ") == Containing("zip/byteorder: expected little, found big"));
}

// --- The stream format ---

TEST_CASE("stream: a wrong preamble is refused") {
    CHECK(
        refusal(
            PickleWriter().raw("}").text("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19").raw("Ns").finished()) ==
        Containing("byte 2: expected PyTorch's magic number, found a dict"));
    const std::string good = legacy_preamble();
    const std::string magic = good.substr(0, 15);
    CHECK(refusal(magic + PickleWriter().integer(1002).finished()) ==
          Containing("expected protocol 1001, found another"));
    const std::string version = magic + PickleWriter().integer(1001).finished();
    CHECK(refusal(version + PickleWriter().raw("N").finished()) ==
          Containing("expected a dict that says little_endian, found None"));
    CHECK(refusal(version + PickleWriter().raw("}").text("little_endian").raw("\x89s").finished()) ==
          Containing("expected a little-endian file, found a big-endian one"));
}

TEST_CASE("stream: storages that contradict the pickle are refused") {
    const std::string state =
        PickleWriter().raw("}").text("w").tensor("0", 8, 0, {8}, {1}).raw("s").finished();
    const std::string start = legacy_preamble() + state;
    const std::string keys = PickleWriter().raw("]").text("0").raw("a").finished();
    CHECK(refusal(start + PickleWriter().raw("N").finished()) ==
          Containing("expected the list of storages, found None"));
    CHECK(refusal(start + PickleWriter().raw("]").finished()) ==
          Containing("tensor w: storage 0 is not in the file"));
    CHECK(refusal(start + PickleWriter().raw("]").text("7").raw("a").finished()) ==
          Containing("list of storages: expected those that the state dict names, found a text 7"));
    CHECK(refusal(start + PickleWriter().raw("]Na").finished()) == Containing("names, found None"));
    CHECK(refusal(start + keys + little_endian(9, 8) + std::string(36, '\0')) ==
          Containing("storage 0: expected 8 elements, found 9"));
    CHECK(refusal(start + keys + little_endian(8, 8) + std::string(31, '\0')) ==
          Containing("expected 32 bytes for storage 0, found 31"));
    CHECK(refusal(start + keys + little_endian(8, 4)) ==
          Containing("expected 8 bytes for a storage's size, found 4"));
    const std::string twice = PickleWriter().raw("](").text("0").text("0").raw("e").finished();
    const std::string storage = little_endian(8, 8) + std::string(32, '\0');
    CHECK(refusal(start + twice + storage + storage) ==
          Containing("such as features.0.weight; found 1 others"));
}

// --- Anything ---

TEST_CASE("if any byte is wrong, the result is an error, or tensors inside the file") {
    Random random;
    INFO(random.replay());
    const TemporaryFolder folder;
    int refused = 0;
    for (const char* name :
         {"zip.pth", "zip64.pth", "legacy_views.pth", "checkpoint_float16_legacy.pth", "views.pth",
          "leavings_2.pth", "module.pth", "arrays_2.pkl", "tensors_0.pkl", "script.pt", "expanded.pth"}) {
        const std::string good = read_bytes(testdata / name);
        for (int i = 0; i < 400; ++i) {
            std::string content = good;
            for (int flips = random.integer(1, 3); flips > 0; --flips) {
                const auto offset =
                    static_cast<std::size_t>(random.integer(0, static_cast<int>(good.size()) - 1));
                content[offset] = static_cast<char>(random.integer(0, 255));
            }
            write_bytes(folder / "weights", content);
            try {
                const StateDict state = StateDict::open(folder / "weights");
                for (const StoredTensor& tensor : state.tensors()) {
                    REQUIRE(tensor.elements() <= vgg19::converter::most_repeated_elements);
                    if (tensor.elements() > content.size()) continue;  // an expanded tensor
                    std::vector<double> values(tensor.elements());
                    vgg19::converter::read_values<double>(tensor, state.mapping(), values);
                }
                vgg19::converter::recognise_vgg(vgg19::converter::modules_of(state.tensors()), "weights");
            } catch (const Error& error) {
                ++refused;
                CHECK(error.kind() == ErrorKind::bad_input);
            }
        }
    }
    CHECK(refused > 400);
}

}  // namespace
