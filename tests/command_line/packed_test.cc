// Packed model files: how they are written, and that every command takes them.
#include <doctest/doctest.h>

#include <string>

#include "engine/model/json.h"
#include "tests/command_line/tool.h"

using namespace vgg19;
using namespace vgg19::testing;
using model::Json;

namespace {

/// The same model plain and packed.
struct Workplace {
    TemporaryFolder folder;
    std::filesystem::path plain = folder / "plain";
    std::filesystem::path packed = folder / "any name";

    Workplace() {
        convert_state_dict(plain);
        write_image(folder / "photo.bmp", 40, 40);
        write_file(folder / "pictures.bin", cifar_records(6));
        const Outcome outcome = run_tool({"convert", plain, "-o", packed, "--pack"});
        REQUIRE_MESSAGE(outcome.code == 0, outcome.errors);
    }

    /// The standard output of a command that succeeds.
    std::string output(const Arguments& arguments) const {
        const Outcome outcome = run_tool(arguments);
        INFO(outcome.errors);
        CHECK(outcome.code == 0);
        return outcome.output;
    }
    /// What a command that writes `out` has written, from the plain model and from the packed one.
    void check_same_file(Arguments arguments, const std::string& option = "-o") const {
        std::string written[2];
        for (int i = 0; i < 2; ++i) {
            const std::filesystem::path out = folder / "out";
            std::filesystem::remove(out);
            Arguments all = {arguments[0], i == 0 ? plain : packed, option, out};
            all.insert(all.end(), arguments.begin() + 1, arguments.end());
            output(all);
            written[i] = read_file(out);
        }
        CHECK_FALSE(written[0].empty());
        CHECK(written[0] == written[1]);
    }
};

}  // namespace

TEST_CASE("packing and unpacking keep the plain file byte for byte") {
    const Workplace place;
    CHECK(read_file(place.packed).starts_with("\x28\xb5\x2f\xfd"));
    CHECK(std::filesystem::file_size(place.packed) < std::filesystem::file_size(place.plain));
    place.output({"convert", place.packed, "-o", place.folder / "again"});
    CHECK(read_file(place.folder / "again") == read_file(place.plain));
    // With other options, the result is what it would be without --pack, packed.
    place.check_same_file({"convert", "--dense-order", "output"});
    place.output({"convert", place.plain, "-o", place.folder / "both", "--pack", "--dense-order", "output"});
    place.output({"convert", place.folder / "both", "-o", place.folder / "unpacked"});
    CHECK(read_file(place.folder / "unpacked") == read_file(place.folder / "out"));
}

TEST_CASE("quantize writes packed models of both scopes") {
    const Workplace place;
    const Arguments scopes[] = {{"quantize", place.plain, "--scope", "dense"},
                                {"quantize", place.plain, "--scope", "all", "--calib",
                                 place.folder / "pictures.bin", "--size", "32", "-n", "4"}};
    for (Arguments plain : scopes) {
        Arguments packed = plain;
        plain.insert(plain.end(), {"-o", place.folder / "int8"});
        packed.insert(packed.end(), {"-o", place.folder / "int8-packed", "--pack"});
        place.output(plain);
        place.output(packed);
        place.output({"convert", place.folder / "int8-packed", "-o", place.folder / "int8-unpacked"});
        CHECK(read_file(place.folder / "int8-unpacked") == read_file(place.folder / "int8"));
    }
}

TEST_CASE("commands give the same with a packed model") {
    const Workplace place;
    const std::filesystem::path photo = place.folder / "photo.bmp";
    std::string answers[2];
    std::string rows[2];
    for (int i = 0; i < 2; ++i) {
        const std::filesystem::path model = i == 0 ? place.plain : place.packed;
        const Json json =
            Json::parse(place.output({"classify", photo, "--size", "32", "--json", "-m", model}), "json");
        answers[i] = json.array()[0].find("top")->dump();
        place.output({"features", "-m", model, photo, "--layers", "fc7", "--size", "32", "-o",
                      place.folder / "rows.npy"});
        rows[i] = read_file(place.folder / "rows.npy");
    }
    CHECK(answers[0] == answers[1]);
    CHECK(rows[0] == rows[1]);
    const Arguments judged = {"eval",       "--data",      place.folder / "pictures.bin",
                              "--size",     "32",          "-m",
                              place.packed, "--reference", place.plain};
    CHECK(contains(place.output(judged), "100"));
    place.check_same_file({"prune"});
    place.check_same_file({"factorize", "--rank", "4"});
    place.check_same_file({"quantize", "--scope", "dense", "--dense", "int4"});
    place.check_same_file({"export"}, "--torch");
}

TEST_CASE("inspect shows and verifies packed models; damage is named") {
    const Workplace place;
    const Json json = Json::parse(place.output({"inspect", place.packed, "--verify", "--json"}), "inspect");
    CHECK(json.find("bytes")->number() == static_cast<double>(std::filesystem::file_size(place.packed)));
    CHECK(json.find("plain_bytes")->number() == static_cast<double>(std::filesystem::file_size(place.plain)));
    CHECK(contains(place.output({"inspect", place.packed}), ", packed; "));
    std::string bytes = read_file(place.packed);
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 16);
    write_file(place.packed, bytes);
    const Outcome damaged = run_tool({"inspect", place.packed, "--verify"});
    CHECK(damaged.code == 5);
    CHECK(contains(damaged.errors, "any name: byte 0: Zstandard frame: expected"));
    write_file(place.packed, bytes.substr(0, bytes.size() / 2));
    CHECK(contains(run_tool({"inspect", place.packed}).errors, "the file is cut off"));
}
