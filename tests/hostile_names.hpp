// SPDX-License-Identifier: BSL-1.0
// A user's namespace that has a function of each name that a function of ours has. None of them may be called, or even
// considered: our own calls are qualified, lest a `decide` beside the user's policy decide who is let in.
// tests/hostile_names.sh compares the names with those of the headers.
#pragma once

#include <type_traits>

namespace hostile {

template <class Argument>
struct found {
    static_assert(!std::is_same_v<Argument, Argument>,
                  "a function of the user's was found by a call that means one of ours");
    static constexpr bool value = false;
};
template <class Argument>
concept anything = found<Argument>::value;

// The pack is for calls with template arguments, which are mostly names of sources.
template <auto...> void address_in(anything auto&&...);
template <auto...> void affordable_connections(anything auto&&...);
template <auto...> void all_of(anything auto&&...);
template <auto...> void any_of(anything auto&&...);
template <auto...> void await_session(anything auto&&...);
template <auto...> void be_brief(anything auto&&...);
template <auto...> void blame(anything auto&&...);
template <auto...> void blocks(anything auto&&...);
template <auto...> void cannot_serve(anything auto&&...);
template <auto...> void combine(anything auto&&...);
template <auto...> void combined_capacity(anything auto&&...);
template <auto...> void complaint_of(anything auto&&...);
template <auto...> void connect(anything auto&&...);
template <auto...> void copy_text(anything auto&&...);
template <auto...> void date_field(anything auto&&...);
template <auto...> void decide(anything auto&&...);
template <auto...> void depends_on(anything auto&&...);
template <auto...> void describe_objection(anything auto&&...);
template <auto...> void descriptors_in_use(anything auto&&...);
template <auto...> void error(anything auto&&...);
template <auto...> void error_of(anything auto&&...);
template <auto...> void error_of_decision(anything auto&&...);
template <auto...> void escape_json(anything auto&&...);
template <auto...> void escape_name(anything auto&&...);
template <auto...> void exception_finding(anything auto&&...);
template <auto...> void failed(anything auto&&...);
template <auto...> void field_of(anything auto&&...);
template <auto...> void first_expiry(anything auto&&...);
template <auto...> void first_in_circle(anything auto&&...);
template <auto...> void functions_of(anything auto&&...);
template <auto...> void handshake(anything auto&&...);
template <auto...> void hold_over_fork(anything auto&&...);
template <auto...> void index_of(anything auto&&...);
template <auto...> void invalid_declaration(anything auto&&...);
template <auto...> void inverted(anything auto&&...);
template <auto...> void is_allowed_host(anything auto&&...);
template <auto...> void is_concurrent(anything auto&&...);
template <auto...> void is_connected_to_itself(anything auto&&...);
template <auto...> void is_down(anything auto&&...);
template <auto...> void is_host(anything auto&&...);
template <auto...> void is_lambda(anything auto&&...);
template <auto...> void is_out_of_descriptors(anything auto&&...);
template <auto...> void is_plain(anything auto&&...);
template <auto...> void is_strict(anything auto&&...);
template <auto...> void is_utf8(anything auto&&...);
template <auto...> void json_size(anything auto&&...);
template <auto...> void longest_cycle(anything auto&&...);
template <auto...> void make_combined_port(anything auto&&...);
template <auto...> void make_dependency(anything auto&&...);
template <auto...> void make_error(anything auto&&...);
template <auto...> void make_failure(anything auto&&...);
template <auto...> void make_port(anything auto&&...);
template <auto...> void make_row(anything auto&&...);
template <auto...> void make_tls_context(anything auto&&...);
template <auto...> void match_sentence(anything auto&&...);
template <auto...> void may_block(anything auto&&...);
template <auto...> void name_of(anything auto&&...);
template <auto...> void names_of(anything auto&&...);
template <auto...> void ok(anything auto&&...);
template <auto...> void on_worker(anything auto&&...);
template <auto...> void open_session(anything auto&&...);
template <auto...> void open_socket(anything auto&&...);
template <auto...> void parent_is_down(anything auto&&...);
template <auto...> void parent_name(anything auto&&...);
template <auto...> void path_of(anything auto&&...);
template <auto...> void percent_decode(anything auto&&...);
template <auto...> void plan_starts(anything auto&&...);
template <auto...> void probe(anything auto&&...);
template <auto...> void problem_of(anything auto&&...);
template <auto...> void raise_descriptor_limit(anything auto&&...);
template <auto...> void reached(anything auto&&...);
template <auto...> void read_environment(anything auto&&...);
template <auto...> void read_one(anything auto&&...);
template <auto...> void reject(anything auto&&...);
template <auto...> void reported_index(anything auto&&...);
template <auto...> void require_declaration(anything auto&&...);
template <auto...> void require_pollable(anything auto&&...);
template <auto...> void require_source(anything auto&&...);
template <auto...> void require_sources(anything auto&&...);
template <auto...> void require_usable(anything auto&&...);
template <auto...> void reserved_descriptors(anything auto&&...);
template <auto...> void resolve(anything auto&&...);
template <auto...> void respond(anything auto&&...);
template <auto...> void response_size(anything auto&&...);
template <auto...> void same_digest(anything auto&&...);
template <auto...> void same_word(anything auto&&...);
template <auto...> void serve(anything auto&&...);
template <auto...> void set_date(anything auto&&...);
template <auto...> void sha256(anything auto&&...);
template <auto...> void sort_by(anything auto&&...);
template <auto...> void source(anything auto&&...);
template <auto...> void sources(anything auto&&...);
template <auto...> void spell(anything auto&&...);
template <auto...> void text_after(anything auto&&...);
template <auto...> void text_before(anything auto&&...);
template <auto...> void text_from(anything auto&&...);
template <auto...> void text_of_name(anything auto&&...);
template <auto...> void text_until(anything auto&&...);
template <auto...> void timeout(anything auto&&...);
template <auto...> void to_parts(anything auto&&...);
template <auto...> void to_string(anything auto&&...);
template <auto...> void to_text(anything auto&&...);
template <auto...> void to_time(anything auto&&...);
template <auto...> void to_utf16(anything auto&&...);
template <auto...> void to_utf8(anything auto&&...);
template <auto...> void to_value(anything auto&&...);
template <auto...> void utf8_length(anything auto&&...);
template <auto...> void wait_until_ready(anything auto&&...);
template <auto...> void wipe(anything auto&&...);
template <auto...> void without_port(anything auto&&...);
template <auto...> void worst_case_detection(anything auto&&...);
template <auto...> void write_body(anything auto&&...);
template <auto...> void write_json(anything auto&&...);
template <auto...> void write_response(anything auto&&...);
template <auto...> void write_timestamp(anything auto&&...);
template <auto...> void write_verdict(anything auto&&...);

}  // namespace hostile
