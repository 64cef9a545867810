#include "tools/serve/http/route_pattern.h"

#include <doctest/doctest.h>

#include <string>

namespace {

using namespace vgg19::http;

}  // namespace

TEST_CASE("a pattern's {id} is one segment of a path") {
    std::string id;
    CHECK(matches("/v1/jobs/{id}/events", "/v1/jobs/a1/events", id));
    CHECK(id == "a1");
    CHECK(matches("/v2/models/{id}", "/v2/models/int8", id));
    CHECK(id == "int8");
    for (const char* path : {"/v2/models/", "/v2/models", "/v2/models/a/b", "/v2/model/a", "/v2/models/a/"}) {
        CAPTURE(path);
        CHECK_FALSE(matches("/v2/models/{id}", path, id));
    }
    CHECK_FALSE(matches("/v1/jobs/{id}/events", "/v1/jobs//events", id));
    CHECK_FALSE(matches("/v1/jobs/{id}/events", "/v1/jobs/events", id));
    CHECK(matches("/", "/", id));
    CHECK_FALSE(matches("/", "//", id));
}
