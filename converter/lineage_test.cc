#include "converter/lineage.h"

#include <doctest/doctest.h>

namespace vgg19::converter {

TEST_CASE("A step of a lineage is told by its subcommand, and by nothing else in it") {
    CHECK(surgery_of("prune --ratio 0.1") == Surgery::prune);
    CHECK(surgery_of("finetune --data prune") == Surgery::finetune);
    CHECK(surgery_of("factorize --rank 16") == Surgery::factorize);
    CHECK(surgery_of("quantize --scope dense") == Surgery::quantize);
    CHECK(surgery_of("export --torch") == Surgery::export_model);
    CHECK(surgery_of("convert prune.pth") == Surgery::convert);
    CHECK(surgery_of("convert") == Surgery::convert);
    CHECK(!surgery_of("pruned by hand"));
    CHECK(!surgery_of("seeded weights, version 2, seed 19"));
    CHECK(!surgery_of(""));

    const std::vector<std::string> lineage = {"convert vgg19.pth", "prune --ratio 0.1"};
    CHECK(has_surgery(lineage, Surgery::prune));
    CHECK(!has_surgery(lineage, Surgery::finetune));
}

}  // namespace vgg19::converter
