# SPDX-License-Identifier: BSL-1.0
"""Shows that each header includes what it names, and no standard header for nothing: `includes.py BUILD`, a build folder with a
compile_commands.json of clang's.

A name is looked up as the compiler has it, in one translation unit of all headers: who names what another header declares includes that
one itself. Not asked about are members, operators, what a template finds only for its arguments, and namespaces."""
import glob
import pathlib
import re
import sys

import clang.cindex
from clang.cindex import CursorKind as Kind

# Which header is to be included for a name of `std`, as the standard says.
STANDARD = {name: headers.split('|') for headers, names in {
    'algorithm': 'all_of clamp find max min none_of',
    'array': 'array',
    'atomic': 'atomic',
    'bit': 'bit_ceil rotr',
    'charconv': 'from_chars from_chars_result to_chars',
    'array|iterator|span|string|string_view|vector': 'begin empty',
    'chrono': '''
        ceil chrono chrono_literals days duration duration_cast floor hh_mm_ss hours microseconds milliseconds minutes nanoseconds
        seconds steady_clock sys_days sys_seconds sys_time system_clock time_point weekday year year_month_day''',
    'concepts': 'constructible_from convertible_to copy_constructible derived_from integral invocable predicate same_as',
    'condition_variable': 'condition_variable',
    'cstddef': 'size_t',
    'cstdint': 'int32_t int64_t uint16_t uint32_t uint64_t uint8_t',
    'cstdio': 'FILE fclose ferror fopen fprintf fread rename',
    'cstdlib': 'atexit atoi free',
    'cstring': 'memcpy memset strerror',
    'ctime': 'strftime time time_t tm',
    'exception': 'current_exception exception exception_ptr rethrow_exception',
    'functional': 'function less ref reference_wrapper',
    'initializer_list': 'initializer_list',
    'limits': 'numeric_limits',
    'map': 'map',
    'memory': '''
        allocator construct_at destroy_at enable_shared_from_this make_shared make_unique make_unique_for_overwrite shared_ptr
        unique_ptr weak_ptr''',
    'mutex': 'lock_guard mutex try_to_lock unique_lock',
    'new': 'bad_alloc',
    'numeric': 'gcd',
    'optional': 'nullopt optional',
    'ostream': 'ostream streamsize',
    'random': 'random_device',
    'ranges': 'ranges',
    'set': 'set',
    'span': 'dynamic_extent span',
    'sstream': 'ostringstream',
    'stdexcept': 'invalid_argument length_error logic_error',
    'string': 'stoi string to_string u16string',
    'string_view|string': 'char_traits',
    'string_view': 'string_view u16string_view',
    'system_error': 'errc generic_category system_error',
    'thread': 'get_id sleep_for sleep_until thread',
    'tuple': 'tuple',
    'type_traits': '''
        bool_constant conditional_t integral_constant invoke_result_t is_constant_evaluated is_constructible_v is_convertible_v
        is_default_constructible_v is_empty_v is_floating_point_v is_integral_v is_lvalue_reference_v is_reference_v is_same_v is_trivially_destructible_v
        is_void_v remove_const_t remove_cvref_t remove_reference_t type_identity''',
    'utility': 'as_const declval exchange forward index_sequence index_sequence_for make_index_sequence move pair swap',
    'vector': 'erase vector',
}.items() for name in names.split()}
# Names of POSIX that several headers declare.
POSIX = {'pid_t': 'sys/types.h', 'socklen_t': 'sys/socket.h'}
# Elsewhere the header that declares it is the one to include, but for what lies behind it.
BEHIND = [(re.compile(inner + '$'), outer) for inner, outer in (
    (r'boost/(.*)/(?:impl|detail|fwd)/(.*)\.[hi]pp', r'boost/\1/\2.hpp'),
    (r'grpcpp/impl/codegen/(.*)', r'grpcpp/support/\1'),
    (r'grpc/impl/codegen/grpc_types\.h', 'grpc/grpc.h'),
    (r'lwip/tcpbase\.h', 'lwip/tcp.h'),
    (r'mariadb_com\.h', 'mysql.h'),
    (r'openssl/(?:prov_ssl|tls1)\.h', 'openssl/ssl.h'),
    (r'openssl/obj_mac\.h', 'openssl/objects.h'),
    (r'openssl/(?:types|stack)\.h', 'openssl/.*'),
    (r'postgres_ext\.h', 'libpq-fe.h'),
    (r'sqltypes\.h', 'sql.h'),
    (r'(?:.*/errno.*|errno)\.h', 'cerrno'),
    (r'(?:bits|asm-generic)/socket.*', 'sys/socket.h'),
    (r'bits/fcntl.*', 'fcntl.h'),
    (r'sys/poll\.h|bits/poll\.h', 'poll.h'),
    (r'bits/(resource|statvfs)\.h', r'sys/\1.h'),
    (r'bits/struct_stat\.h', 'sys/stat.h'),
    (r'bits/dlfcn\.h', 'dlfcn.h'),
    (r'bits/confname\.h', 'unistd.h'),
    (r'bits/timex\.h', 'sys/timex.h'),
    (r'bits/types/clockid_t\.h', 'ctime|time.h'),
    (r'(?:bits/(?:sig|types/sig).*|signal\.h)', 'csignal|signal.h'),
    (r'bits/types/struct_timeval\.h', 'sys/time.h'),
    (r'(?:bits/(?:types/)?(?:struct_)?time.*|time\.h)', 'ctime|time.h'),
    (r'linux/limits\.h', 'climits'),
    (r'(?:.*/)?std(def|int|io|lib)\.h', r'cstd\1|std\1.h'),
    (r'bits/stdint.*', 'cstdint'),
    (r'string\.h', 'cstring|string.h'),
)]

# What no header of ours says, to see that it is seen: each line names what its comment says is missing.
PLANTED = '''
#include "text.hpp"
#include <string>
#include <string>  // twice
#include <vector>  // for nothing
namespace healthz::planted {
inline std::string here;
fixed_string<1> ours();
inline std::optional<int> standard;  // optional
template <class T>
    requires prober<T>  // healthz/prober.hpp
void ask(T) {
    healthz::detail::copy_text({}, nullptr);
    healthz::detail::wipe(nullptr, 0);  // healthz/hosted/wipe.hpp
}
boost::asio::io_context* boosts();  // boost/asio/io_context.hpp
boost::system::error_code behind();  // boost/system/error_code.hpp
inline int posix() { return ::getpid(); }  // unistd.h
inline int macro = EINTR;  // cerrno
}
'''

# What is declared in these is a member, or local.
INNER = (Kind.CLASS_DECL, Kind.STRUCT_DECL, Kind.UNION_DECL, Kind.CLASS_TEMPLATE, Kind.CLASS_TEMPLATE_PARTIAL_SPECIALIZATION,
         Kind.ENUM_DECL, Kind.FUNCTION_DECL, Kind.FUNCTION_TEMPLATE, Kind.CXX_METHOD, Kind.CONSTRUCTOR, Kind.DESTRUCTOR,
         Kind.CONVERSION_FUNCTION)


def named_by(cursor):
    """What this place in the code names, but for members and what is local: several declarations where it has overloads."""
    if cursor.kind == Kind.OVERLOADED_DECL_REF:
        lib = clang.cindex.conf.lib
        named = [lib.clang_getOverloadedDecl(cursor, i) for i in range(lib.clang_getNumOverloadedDecls(cursor))]
    else:
        named = [cursor.referenced] if cursor.referenced and cursor.referenced != cursor else []
    return [each for each in named if each.location.file and not each.kind.name.startswith(('NAMESPACE', 'TEMPLATE_')) and
            (each.semantic_parent is None or each.semantic_parent.kind not in INNER) and not is_standard(each)]


def is_standard(declaration):
    scope = declaration.semantic_parent
    while scope and scope.kind == Kind.NAMESPACE and scope.spelling != 'std':
        scope = scope.semantic_parent
    return scope and scope.kind == Kind.NAMESPACE


class Headers:
    def __init__(self, folders, root):
        self.folders = sorted((pathlib.Path(folder) for folder in folders), key=lambda each: -len(str(each)))  # the innermost first
        self.root = root
        self.included = {}
        self.used = {}
        self.declared = {}  # who declares a class without defining it

    def add(self, header, text):
        """Takes in what a header includes; returns what it includes twice."""
        folder = (self.root / header).parent
        includes = re.findall(r'^#include (["<])([^">]+)', text, re.MULTILINE)
        found = [self.of(folder / name) if mark == '"' else name for mark, name in includes]
        self.included[header] = set(found)
        self.used[header] = set()
        for name in re.findall(r'^(?:class|struct) (\w+);', text, re.MULTILINE):
            self.declared.setdefault(name, []).append(header)
        return sorted({each for each in found if found.count(each) > 1})

    def of(self, path):
        """As it is included."""
        path = pathlib.Path(path).resolve()
        for folder in self.folders:
            if path.is_relative_to(folder):
                return str(path.relative_to(folder))
        return str(path)

    def wanted(self, declaration):
        """The patterns of headers of which one is to be included for this name."""
        if declaration.spelling in POSIX:
            return [POSIX[declaration.spelling]]
        header = self.of(declaration.location.file.name)
        if header in self.included:
            return [header, *self.declared.get(declaration.spelling, [])]
        for inner, outer in BEHIND:
            if match := inner.match(header):
                return match.expand(outer).split('|')
        return [header]

    def has(self, header, wanted):
        found = {have for each in wanted for have in self.included[header] | {header} if re.fullmatch(each, have)}
        self.used[header] |= found
        return bool(found)

    def lacking_for_text(self, header, text, concepts):
        """The same for what is seen in the text: names of `std`, which are never written without it, and concepts, which libclang omits."""
        for i, line in enumerate(text.splitlines()):
            line = re.sub(r'"(?:\\.|[^"\\])*"|//.*', '', line)
            for name in re.findall(r'\bstd::(?:chrono::|this_thread::)?(\w+)', line):
                wanted = STANDARD.get(name, ['what STANDARD in tests/analysis/includes.py lacks'])
                if not self.has(header, wanted):
                    yield i + 1, '|'.join(wanted), f'std::{name} needs'
            for name in re.findall(r'(?<![:.>\w])(?:(?:healthz|detail)::)*(\w+)(?=<| [A-Z]| auto\b)', line):
                if name in concepts and not self.has(header, [concepts[name]]):
                    yield i + 1, concepts[name], name + ' needs'

    def lacking(self, header, cursor):
        """What this header should include for what it names here, and below: (line, header, name)."""
        named = named_by(cursor)
        if named and not named[0].spelling.startswith(('operator', '__')):
            wanted = sorted({each for one in named for each in self.wanted(one)})
            if not self.has(header, wanted):
                yield cursor.location.line, '|'.join(wanted), named[0].spelling + ' needs'
        for child in cursor.get_children():
            yield from self.lacking(header, child)


def main(build):
    command = next(each for each in clang.cindex.CompilationDatabase.fromDirectory(build).getAllCompileCommands()
                   if each.filename.endswith('/headers/all.cpp'))
    root = next(pathlib.Path(each[2:]) for each in command.arguments if each.startswith('-I')).resolve()
    arguments = [each for each in list(command.arguments)[1:-1] if each not in ('-c', '-o') and not each.endswith('.o')]
    planted = root / 'healthz' / 'planted.hpp'
    text = pathlib.Path(command.filename).read_text() + f'#include "{planted}"\n'
    unit = clang.cindex.Index.create().parse('all.cpp', arguments, [('all.cpp', text), (str(planted), PLANTED)],
                                             clang.cindex.TranslationUnit.PARSE_DETAILED_PROCESSING_RECORD)  # macros, too
    if unit.diagnostics:
        sys.exit('\n'.join(map(str, unit.diagnostics)))

    system = [arguments[i + 1] for i, each in enumerate(arguments) if each == '-isystem']
    headers = Headers([root, '/usr/include', *glob.glob('/usr/include/*-linux-gnu'), *system], root)
    texts = {headers.of(header): header.read_text() for header in root.rglob('*.hpp')}
    texts[headers.of(planted)] = PLANTED
    found = {name: [(0, each, 'there are two of') for each in headers.add(name, text)] for name, text in texts.items()}
    concepts = {concept: name for name, text in texts.items() for concept in re.findall(r'^concept (\w+)', text, re.MULTILINE)}
    for name, text in texts.items():
        found[name] += headers.lacking_for_text(name, text, concepts)
    for cursor in unit.cursor.get_children():
        if cursor.location.file and (header := headers.of(cursor.location.file.name)) in headers.included:
            found[header] += headers.lacking(header, cursor)

    for name in texts:
        unused = sorted(each for each in headers.included[name] - headers.used[name] if each.isidentifier())  # of the standard
        found[name] += [(0, each, 'nothing needs') for each in unused]

    planted_lines = PLANTED.splitlines()
    expected = {(i + 1, line.split('  // ')[1]) for i, line in enumerate(planted_lines) if '  // ' in line and line[0] != '#'}
    seen = {(line, wanted) for line, wanted, _ in found.pop('healthz/planted.hpp')}
    expected |= {(0, 'string'), (0, 'vector')}
    if seen != expected:
        sys.exit(f'what is planted is not what is seen: {sorted(seen ^ expected)}')
    told = {(header, wanted): (line, why) for header in found for line, wanted, why in reversed(found[header])}
    for (header, wanted), (line, why) in sorted(told.items()):
        print(f'include/{header}:{line}: error: {why} an include of {wanted}')
    if told:
        sys.exit(1)
    print(f'{len(found)} headers include what they name')


main(sys.argv[1])
