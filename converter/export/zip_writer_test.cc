#include "converter/export/zip_writer.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "converter/import/testing/files.h"
#include "converter/import/zip_archive.h"
#include "engine/testing/temporary_folder.h"

namespace vgg19::converter {
namespace {

/// An archive of three files, the last of which is written in two pieces.
std::string archive(std::uint64_t wide_from) {
    std::string content;
    ZipWriter zip([&](std::span<const std::byte> bytes) { content += model::as_text(bytes); }, wide_from);
    zip.add("a/empty", "");
    zip.add("a/text", "123456789");
    zip.begin("a/pieces", 200);
    const std::string piece(100, 'x');
    zip.write(std::as_bytes(std::span(piece)));
    zip.write(std::as_bytes(std::span(piece)));
    zip.finish();
    return content;
}

TEST_CASE("files of an archive are found, aligned, with narrow and wide fields") {
    const vgg19::testing::TemporaryFolder folder;
    // Everything, the longest file, and nothing has fields of 64 bits.
    for (const std::uint64_t wide_from : {std::uint64_t{0}, std::uint64_t{100}, zip64_from}) {
        CAPTURE(wide_from);
        testing::write_bytes(folder / "zip", archive(wide_from));
        const model::MappedFile file(folder / "zip");
        OwnedBytes owned;
        ZipArchive zip(file, owned);
        REQUIRE(zip.entries().size() == 3);
        CHECK(zip.contents("a/empty").empty());
        CHECK(model::as_text(zip.contents("a/text")) == "123456789");
        CHECK(model::as_text(zip.contents("a/pieces")) == std::string(200, 'x'));
        for (const auto& [name, entry] : zip.entries()) {
            CHECK((zip.contents(name).data() - file.bytes().data()) % 64 == 0);
        }
    }
}

TEST_CASE("checksums stand behind the contents and in the directory") {
    const std::string content = archive(zip64_from);
    const std::string sum = "\x26\x39\xf4\xcb";  // of "123456789", in lists of such sums
    const std::size_t text = content.find("123456789");
    REQUIRE(text != std::string::npos);
    CHECK(content.substr(text + 9, 8) == "PK\x07\x08" + sum);
    CHECK(content.find("PK\x01\x02", text) < content.rfind(sum));
}

}  // namespace
}  // namespace vgg19::converter
