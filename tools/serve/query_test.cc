#include "tools/serve/query.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tools/serve/problem.h"

namespace {

using namespace vgg19::server;
namespace http = vgg19::http;

const std::vector<std::string> ids = {"baseline", "pruned", "int8"};
const Limits limits;

std::string refusal(const http::Query& query) {
    try {
        static_cast<void>(job_request(query, ids, limits));
    } catch (const Problem& problem) {
        CHECK(problem.status() == 400);
        return problem.code();
    }
    return "";
}

}  // namespace

TEST_CASE("without parameters all variants give their three most probable classes") {
    const JobRequest request = classify_request({}, ids, limits);
    CHECK(request.variants == std::vector<std::size_t>{0, 1, 2});
    CHECK(request.top == 3);
    CHECK_FALSE(request.profile);
    CHECK(request.mode == Mode::parallel);
    CHECK(request.rounds == 1);
}

TEST_CASE("parameters choose variants, classes, profile, mode and rounds") {
    const JobRequest request = job_request({{"variants", "int8,baseline,int8"},
                                            {"top", "1000"},
                                            {"profile", "1"},
                                            {"mode", "rounds"},
                                            {"rounds", "7"}},
                                           ids, limits);
    CHECK(request.variants == std::vector<std::size_t>{0, 2});
    CHECK(request.top == 1000);
    CHECK(request.profile);
    CHECK(request.mode == Mode::rounds);
    CHECK(request.rounds == 7);
    CHECK(job_request({{"mode", "rounds"}}, ids, limits).rounds == 5);
    CHECK(job_request({{"mode", "parallel"}, {"rounds", "7"}}, ids, limits).rounds == 1);
}

TEST_CASE("undocumented parameters are refused") {
    CHECK(refusal({}).empty());
    for (const http::Query& query : std::vector<http::Query>{{{"top", "0"}},
                                                             {{"top", "1001"}},
                                                             {{"top", ""}},
                                                             {{"top", "3 "}},
                                                             {{"top", "-1"}},
                                                             {{"top", "99999999999999999999"}},
                                                             {{"rounds", "51"}},
                                                             {{"rounds", "0"}},
                                                             {{"mode", "Rounds"}},
                                                             {{"profile", "yes"}},
                                                             {{"colour", "red"}},
                                                             {{"top", "1"}, {"top", "2"}}}) {
        CAPTURE(query.begin()->second);
        CHECK(refusal(query) == "bad_request");
    }
    for (const char* list : {"", ",", "int8,", ",int8", "int8,,pruned", "INT8", "int8 "}) {
        CAPTURE(list);
        CHECK(refusal({{"variants", list}}) == "unknown_variant");
    }
    CHECK_THROWS_AS(static_cast<void>(classify_request({{"mode", "rounds"}}, ids, limits)), Problem);
}
