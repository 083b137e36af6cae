// SPDX-License-Identifier: BSL-1.0
// The style and the script of the page, and the content security policy that the compiler writes of them.
// Part of the core.
#pragma once

#include "../base64.hpp"
#include "../sha256.hpp"
#include "../text.hpp"

#include <array>
#include <cstddef>
#include <string_view>

namespace healthz::detail {

inline constexpr std::string_view page_style =
    ":root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--dim:#57606a;--line:#d0d7de;--card:#f6f8fa;--ok:#116329;--timeout:#7d4e00;"
    "--failed:#6639ba;--error:#a40e26}"
    "@media(prefers-color-scheme:dark){:root{--bg:#0d1117;--fg:#e6edf3;--dim:#9da7b1;--line:#30363d;--card:#161b22;--ok:#56d364;"
    "--timeout:#e3b341;--failed:#d2a8ff;--error:#ff9b94}}"
    "*{box-sizing:border-box}"
    "body{margin:0;background:var(--bg);color:var(--fg);font:16px/1.45 system-ui,sans-serif}"
    "main{max-width:110rem;margin:auto;padding:1rem}"
    "h1{font-size:1.6rem;margin:0}"
    "h2{font-size:1.05rem;margin:0;overflow-wrap:anywhere}"
    "p,dl,ol,pre{margin:0}"
    "header{display:flex;flex-wrap:wrap;gap:.3rem 1.5rem;align-items:baseline;margin-bottom:1rem}"
    "header p,label,dt,summary{color:var(--dim)}"
    "a{color:inherit}"
    "ol{list-style:none;padding:0;display:grid;gap:.6rem;grid-template-columns:repeat(auto-fill,minmax(min(100%,21rem),1fr))}"
    "li{background:var(--card);border:1px solid var(--line);border-left:.4rem solid var(--c);border-radius:.4rem;padding:.6rem .8rem}"
    ".k{--c:var(--ok)}.t{--c:var(--timeout)}.f{--c:var(--failed)}.e{--c:var(--error)}.n{--c:var(--dim)}"
    ".s{display:flex;gap:.5rem;align-items:center;color:var(--c);font-weight:600}"
    ".s svg{width:1em;height:1em;flex:none;fill:currentColor}"
    "dl{display:grid;grid-template-columns:auto 1fr;gap:0 .8rem;font-size:.875rem;margin-top:.3rem;font-variant-numeric:tabular-nums}"
    "dd{margin:0}"
    ".m{margin-top:.3rem;overflow-wrap:anywhere}"
    "pre{white-space:pre-wrap;overflow-wrap:anywhere;font-size:.8125rem}"
    ".r{display:block;width:100%;height:1.2rem;margin-top:.4rem}"
    ".r path{fill:none;stroke:var(--c);stroke-dasharray:3 1;stroke-width:6}.r .t{stroke-width:10}.r .f{stroke-width:14}.r .e{stroke-width:18}"
    "@media(max-width:30rem){h1{font-size:1.3rem}}";

inline constexpr std::string_view page_script =
    "'use strict';(()=>{"
    "const label=document.createElement('label'),box=document.createElement('input');box.type='checkbox';box.checked=true;"
    "label.append(box,' Update every 5 seconds');const note=document.createElement('p');note.setAttribute('role','status');"
    "const place=()=>{const h=document.querySelector('header');h.append(label,note)};place();"
    "const open=()=>new Set([...document.querySelectorAll('details[open]')].map(d=>d.closest('li').dataset.n));"
    "const update=async()=>{if(!box.checked||document.hidden)return;try{"
    "const a=await fetch(location.href,{headers:{Accept:'text/html'},cache:'no-store',credentials:'same-origin'});"
    "if(!a.ok)throw new Error(a.status);"
    "const d=new DOMParser().parseFromString(await a.text(),'text/html'),m=d.querySelector('main'),was=open();"
    "if(!m)throw new Error('no page');"
    "for(const e of m.querySelectorAll('details'))e.open=was.has(e.closest('li').dataset.n);"
    "const focus=document.activeElement===box;document.querySelector('main').replaceWith(m);place();if(focus)box.focus();"
    "document.title=d.title;document.querySelector('link[rel=icon]').href=d.querySelector('link[rel=icon]').href;note.textContent=''"
    "}catch(e){if(!note.textContent)note.textContent='No answer since '+new Date().toLocaleTimeString()}};"
    "setInterval(update,5000);document.addEventListener('visibilitychange',update)})()";

/// The hash of a text as a content security policy has it: the browser takes only the text that the compiler saw.
template <std::string_view const& Text>
inline constexpr auto source_hash = to_base64(sha256(Text));

/// The policy of the page, written by the compiler from what it allows.
inline constexpr auto page_policy_text = [] {
    constexpr std::string_view parts[] = {
        "default-src 'none'; style-src 'sha256-",
        {source_hash<page_style>.data(), source_hash<page_style>.size()},
        "'; script-src 'sha256-",
        {source_hash<page_script>.data(), source_hash<page_script>.size()},
        "'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"};
    constexpr auto size = [&] {
        std::size_t all = 0;
        for (auto const part : parts) all += part.size();
        return all;
    }();
    std::array<char, size + 1> text{};  // ends in a zero byte, for servers in C
    char* out = text.data();
    for (auto const part : parts) out = copy_text(part, out);
    return text;
}();
inline constexpr std::string_view page_policy = {page_policy_text.data(), page_policy_text.size() - 1};

}  // namespace healthz::detail
