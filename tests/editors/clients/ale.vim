" A person in a real Vim with ALE, the least of clients: it starts a server, shows its diagnostics and
" ends it. Run as `vim -Nu NONE -i NONE -Es -S ale.vim`; the environment says which repository and server.
let s:seconds_max = 90
set nocompatible noswapfile
let g:ale_linters_explicit = 1
let g:ale_linters = {'toml': ['baton']}
let g:ale_lint_delay = 0
let g:ale_history_log_output = 1
filetype plugin on
packadd ale

let s:server = split($BATON_TEST_SERVER, "\n")
call ale#linter#Define('toml', {
\ 'name': 'baton', 'lsp': 'stdio', 'executable': s:server[0],
\ 'command': join(map(copy(s:server), 'shellescape(v:val)')),
\ 'project_root': $BATON_TEST_ROOT,
\})

function! s:Tell(text)
  call writefile([a:text], $BATON_TEST_OUT, 'a')
endfunction

function! s:Until(what, done)
  let l:from = reltime()
  while !eval(a:done)
    if reltimefloat(reltime(l:from)) > s:seconds_max
      call s:Tell('timed out: ' . a:what . '; shown: ' . string(s:Shown()))
      cquit
    endif
    sleep 20m
  endwhile
  call s:Tell(a:what)
endfunction

function! s:Shown()
  let l:all = ale#engine#GetLoclist(bufnr(''))
  return map(copy(l:all), '[v:val.linter_name, v:val.lnum, v:val.type, v:val.text]')
endfunction

try
  execute 'edit' fnameescape($BATON_TEST_ROOT . '/.baton/team.toml')
  setfiletype toml
  call append(line('$'), ['[[check]]', 'nme = "x"'])
  let s:broken = line('$')
  ALELint
  call s:Until('initialised', 'len(ale#lsp_linter#GetLSPLinterMap()) == 1')
  call s:Until('a diagnostic on its line', 's:Shown() != [] && s:Shown()[0][:2] == ["baton", s:broken, "E"]')
  call s:Tell(string(s:Shown()))
  silent! undo
  call deletebufline('', s:broken - 1, s:broken)
  ALELint
  call s:Until('no diagnostic', 's:Shown() == []')
  ALEStopAllLSPs
  call s:Tell('stopped')
  qall!
catch
  call s:Tell(v:exception . ' at ' . v:throwpoint)
  cquit
endtry
