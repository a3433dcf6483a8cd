# bash completion of ublkts; `ublkts completion bash` writes it
_ublkts_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$current"); }
# Either spelling: with underscores, or with hyphens once one is typed.
_ublkts_flags() { if [[ $current == --*-* ]]; then _ublkts_words "${1//_/-}"; else _ublkts_words "$1"; fi; }
_ublkts_devices() { _ublkts_words "$(command ls /sys/class/ublk-char 2>/dev/null | sed 's/^ublkc//')"; }
# Only names of files are treated as such: a word that is also a directory here would be given a slash.
_ublkts_names_files() { compopt -o filenames 2>/dev/null; }
_ublkts_files() { _ublkts_names_files; mapfile -t COMPREPLY < <(compgen -f -- "$current"); }
_ublkts_directories() { _ublkts_names_files; mapfile -t COMPREPLY < <(compgen -d -- "$current"); }
_ublkts_targets() {
  _ublkts_names_files
  mapfile -t COMPREPLY < <(compgen -W "null loop ram stripe nbd fault_inject" -f -- "$current")
}
# A program can follow `--`, which is word number $1.
_ublkts_program() {
  if ((COMP_CWORD > $1 + 1)); then
    _ublkts_files
    return
  fi
  _ublkts_names_files
  mapfile -t COMPREPLY < <(compgen -c -f -- "$current")
}
_ublkts_second_words() {
  case $1 in
    lab) _ublkts_words "build run shell" ;;
    target) _ublkts_words "check new" ;;
  esac
}

_ublkts() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local command=${COMP_WORDS[1]} assigned= word
  COMPREPLY=()
  # bash makes three words of --flag=value.
  if [[ $current == = ]]; then
    current='' assigned=1
  elif [[ $previous == = ]]; then
    previous=${COMP_WORDS[COMP_CWORD - 2]} assigned=1
  fi
  [[ $previous == --* ]] && previous=--$(tr - _ <<< "${previous:2}")
  if ((COMP_CWORD == 1)); then
    _ublkts_words "add bench completion del doctor features lab list ls metrics monitor nbd-info quiesce recover reg-buf reg_buf rm serve set-affinity set-params set_affinity set_params stop target top unreg-buf unreg_buf update-size update_size help"
    return
  fi
  if [[ $command == help ]]; then
    if ((COMP_CWORD == 2)); then
      _ublkts_words "add bench completion del doctor features lab list ls metrics monitor nbd-info quiesce recover reg-buf reg_buf rm serve set-affinity set-params set_affinity set_params stop target top unreg-buf unreg_buf update-size update_size"
    elif ((COMP_CWORD == 3)); then
      _ublkts_second_words "${COMP_WORDS[2]}"
    fi
    return
  fi
  case $command in
    lab|target)
      if ((COMP_CWORD == 2)); then
        _ublkts_second_words "$command"
        return
      fi
      command="$command ${COMP_WORDS[2]}"
      ;;
  esac
  case $command in
    "add"|"lab run"|"recover")
      for ((word = 2; word < COMP_CWORD; word++)); do
        [[ ${COMP_WORDS[word]} != -- ]] || { _ublkts_program "$word"; return; }
      done
      ;;
  esac
  case "$command $previous" in
    "add -t"|"add --type") _ublkts_targets; return ;;
    "add -n"|"add --number") _ublkts_devices; return ;;
    "add -q"|"add --queues") :; return ;;
    "add -d"|"add --depth") :; return ;;
    "add --max_io_buf_bytes") :; return ;;
    "add -r"|"add --recovery") _ublkts_words "0 1"; return ;;
    "add -i"|"add --recovery_reissue") _ublkts_words "0 1"; return ;;
    "add -e"|"add --recovery_fail_io") _ublkts_words "0 1"; return ;;
    "add --io_desc_size") :; return ;;
    "add --data_path") _ublkts_words "copy get_data user_copy zero_copy auto_zc auto_zc_fallback batch+copy batch+user_copy batch+zero_copy batch+auto_zc batch+auto_zc_fallback"; return ;;
    "add --htlb") _ublkts_files; return ;;
    "add --nthreads") :; return ;;
    "add --cpus") :; return ;;
    "add --metadata_size") :; return ;;
    "add --pi_offset") :; return ;;
    "add --csum_type") _ublkts_words "ip t10dif nvme"; return ;;
    "add --tag_size") :; return ;;
    "add -s"|"add --size") :; return ;;
    "add --chunk_size") :; return ;;
    "add --delay_us") :; return ;;
    "add --die_during_fetch") _ublkts_words "0 1"; return ;;
    "add --offset") :; return ;;
    "add --sizelimit") :; return ;;
    "add --logical_block_size") :; return ;;
    "add --uri") :; return ;;
    "add --program") :; return ;;
    "add --export") :; return ;;
    "add --directory") _ublkts_directories; return ;;
    "add --reconnect_delay") :; return ;;
    "add --request_timeout") :; return ;;
    "add --tls_certificates") _ublkts_directories; return ;;
    "add --tls_psk_file") _ublkts_files; return ;;
    "add --tls_hostname") :; return ;;
    "add --tls_verify_peer") _ublkts_words "yes no"; return ;;
    "add -o"|"add --target_option") :; return ;;
    "add --server") if [[ $assigned ]]; then return; fi ;;
    "add --debug_mask") :; return ;;
    "add --format") _ublkts_words "kublk table json"; return ;;
    "bench -n"|"bench --number") _ublkts_devices; return ;;
    "bench --seconds") :; return ;;
    "bench --format") _ublkts_words "kublk table json"; return ;;
    "del -n"|"del --number"|"rm -n"|"rm --number") _ublkts_devices; return ;;
    "features --format") _ublkts_words "kublk table json"; return ;;
    "lab run --memory") :; return ;;
    "lab run --cpus") :; return ;;
    "lab run --env") :; return ;;
    "lab run --timeout") :; return ;;
    "lab run --collect") _ublkts_directories; return ;;
    "lab shell --memory") :; return ;;
    "lab shell --cpus") :; return ;;
    "lab shell --env") :; return ;;
    "list -n"|"list --number"|"ls -n"|"ls --number") _ublkts_devices; return ;;
    "list --format"|"ls --format") _ublkts_words "kublk table json"; return ;;
    "metrics -n"|"metrics --number") _ublkts_devices; return ;;
    "metrics --listen") :; return ;;
    "monitor -n"|"monitor --number"|"top -n"|"top --number") _ublkts_devices; return ;;
    "monitor -i"|"monitor --interval"|"top -i"|"top --interval") :; return ;;
    "monitor -c"|"monitor --count"|"top -c"|"top --count") :; return ;;
    "quiesce -n"|"quiesce --number") _ublkts_devices; return ;;
    "quiesce --timeout_ms") :; return ;;
    "recover -t"|"recover --type") _ublkts_targets; return ;;
    "recover -n"|"recover --number") _ublkts_devices; return ;;
    "recover -q"|"recover --queues") :; return ;;
    "recover -d"|"recover --depth") :; return ;;
    "recover --max_io_buf_bytes") :; return ;;
    "recover -r"|"recover --recovery") _ublkts_words "0 1"; return ;;
    "recover -i"|"recover --recovery_reissue") _ublkts_words "0 1"; return ;;
    "recover -e"|"recover --recovery_fail_io") _ublkts_words "0 1"; return ;;
    "recover --io_desc_size") :; return ;;
    "recover --data_path") _ublkts_words "copy get_data user_copy zero_copy auto_zc auto_zc_fallback batch+copy batch+user_copy batch+zero_copy batch+auto_zc batch+auto_zc_fallback"; return ;;
    "recover --htlb") _ublkts_files; return ;;
    "recover --nthreads") :; return ;;
    "recover --cpus") :; return ;;
    "recover --metadata_size") :; return ;;
    "recover --pi_offset") :; return ;;
    "recover --csum_type") _ublkts_words "ip t10dif nvme"; return ;;
    "recover --tag_size") :; return ;;
    "recover -s"|"recover --size") :; return ;;
    "recover --chunk_size") :; return ;;
    "recover --delay_us") :; return ;;
    "recover --die_during_fetch") _ublkts_words "0 1"; return ;;
    "recover --offset") :; return ;;
    "recover --sizelimit") :; return ;;
    "recover --logical_block_size") :; return ;;
    "recover --uri") :; return ;;
    "recover --program") :; return ;;
    "recover --export") :; return ;;
    "recover --directory") _ublkts_directories; return ;;
    "recover --reconnect_delay") :; return ;;
    "recover --request_timeout") :; return ;;
    "recover --tls_certificates") _ublkts_directories; return ;;
    "recover --tls_psk_file") _ublkts_files; return ;;
    "recover --tls_hostname") :; return ;;
    "recover --tls_verify_peer") _ublkts_words "yes no"; return ;;
    "recover -o"|"recover --target_option") :; return ;;
    "recover --server") if [[ $assigned ]]; then return; fi ;;
    "recover --debug_mask") :; return ;;
    "recover --format") _ublkts_words "kublk table json"; return ;;
    "reg-buf -n"|"reg-buf --number"|"reg_buf -n"|"reg_buf --number") _ublkts_devices; return ;;
    "reg-buf --htlb"|"reg_buf --htlb") _ublkts_files; return ;;
    "reg-buf --file"|"reg_buf --file") _ublkts_files; return ;;
    "reg-buf --memfd"|"reg_buf --memfd") :; return ;;
    "serve --name") :; return ;;
    "serve --threads") :; return ;;
    "serve --cpus") :; return ;;
    "set_affinity -n"|"set_affinity --number"|"set-affinity -n"|"set-affinity --number") _ublkts_devices; return ;;
    "set_affinity -q"|"set_affinity --queue"|"set-affinity -q"|"set-affinity --queue") :; return ;;
    "set_affinity --cpus"|"set-affinity --cpus") :; return ;;
    "set_params -r"|"set_params --recovery"|"set-params -r"|"set-params --recovery") _ublkts_words "0 1"; return ;;
    "set_params -i"|"set_params --recovery_reissue"|"set-params -i"|"set-params --recovery_reissue") _ublkts_words "0 1"; return ;;
    "set_params -e"|"set_params --recovery_fail_io"|"set-params -e"|"set-params --recovery_fail_io") _ublkts_words "0 1"; return ;;
    "set_params --io_desc_size"|"set-params --io_desc_size") :; return ;;
    "set_params -n"|"set_params --number"|"set-params -n"|"set-params --number") _ublkts_devices; return ;;
    "set_params -q"|"set_params --queues"|"set-params -q"|"set-params --queues") :; return ;;
    "set_params -d"|"set_params --depth"|"set-params -d"|"set-params --depth") :; return ;;
    "set_params --param_types"|"set-params --param_types") :; return ;;
    "set_params --logical_bs_shift"|"set-params --logical_bs_shift") :; return ;;
    "set_params --physical_bs_shift"|"set-params --physical_bs_shift") :; return ;;
    "set_params --io_min_shift"|"set-params --io_min_shift") :; return ;;
    "set_params --io_opt_shift"|"set-params --io_opt_shift") :; return ;;
    "set_params --max_sectors"|"set-params --max_sectors") :; return ;;
    "set_params --chunk_sectors"|"set-params --chunk_sectors") :; return ;;
    "set_params --dev_sectors"|"set-params --dev_sectors") :; return ;;
    "set_params --max_zone_append_sectors"|"set-params --max_zone_append_sectors") :; return ;;
    "set_params --max_open_zones"|"set-params --max_open_zones") :; return ;;
    "set_params --max_active_zones"|"set-params --max_active_zones") :; return ;;
    "stop -n"|"stop --number") _ublkts_devices; return ;;
    "target check -o"|"target check --target_option") :; return ;;
    "unreg-buf -n"|"unreg-buf --number"|"unreg_buf -n"|"unreg_buf --number") _ublkts_devices; return ;;
    "unreg-buf -i"|"unreg-buf --index"|"unreg_buf -i"|"unreg_buf --index") :; return ;;
    "update_size -n"|"update_size --number"|"update-size -n"|"update-size --number") _ublkts_devices; return ;;
    "update_size -s"|"update_size --size"|"update-size -s"|"update-size --size") :; return ;;
  esac
  case $command in
    "add") if [[ $current == -* ]]; then _ublkts_flags "--json --debug --no-color --type --number --queues --depth --max_io_buf_bytes --zero_copy --auto_zc --user_copy --get_data --batch --shmem_zc --recovery --recovery_reissue --recovery_fail_io --no_auto_part_scan --zoned --io_desc_size --auto_zc_fallback --data_path --rotate_auto_buf --htlb --rdonly_shmem_buf --nthreads --cpus --per_io_tasks --no_ublk_fixed_fd --metadata_size --integrity_capable --integrity_reftag --pi_offset --csum_type --tag_size --size --chunk_size --delay_us --die_during_fetch --offset --sizelimit --read_only --buffered_io --logical_block_size --no_discard --uri --program --export --directory --reconnect_delay --request_timeout --tls_certificates --tls_psk_file --tls_hostname --tls_verify_peer --structured_replies --share --target_option --foreground --server --mlock --quiet --debug_mask --format"; else _ublkts_files; fi ;;
    "bench") if [[ $current == -* ]]; then _ublkts_flags "--json --debug --no-color --number --write --seconds --format"; else _ublkts_devices; fi ;;
    "completion") if [[ $current == -* ]]; then _ublkts_flags "--json --debug --no-color"; else _ublkts_words "bash zsh fish"; fi ;;
    "del"|"rm") if [[ $current == -* ]]; then _ublkts_flags "--json --debug --no-color --number --all --force"; else _ublkts_devices; fi ;;
    "doctor") if [[ $current == -* ]]; then _ublkts_flags "--json --debug --no-color --fix"; else :; fi ;;
    "features") if [[ $current == -* ]]; then _ublkts_flags "--json --debug --no-color --format"; else :; fi ;;
    "lab build") if [[ $current == -* ]]; then _ublkts_flags "--json --debug --no-color --refresh"; else :; fi ;;
    "lab run") if [[ $current == -* ]]; then _ublkts_flags "--json --debug --no-color --memory --cpus --env --instructions --timeout --collect"; else :; fi ;;
    "lab shell") if [[ $current == -* ]]; then _ublkts_flags "--json --debug --no-color --memory --cpus --env"; else :; fi ;;
    "list"|"ls") if [[ $current == -* ]]; then _ublkts_flags "--json --debug --no-color --number --all --format"; else _ublkts_devices; fi ;;
    "metrics") if [[ $current == -* ]]; then _ublkts_flags "--json --debug --no-color --number --listen"; else :; fi ;;
    "monitor"|"top") if [[ $current == -* ]]; then _ublkts_flags "--json --debug --no-color --number --interval --count --once --read-only"; else _ublkts_devices; fi ;;
    "nbd-info") if [[ $current == -* ]]; then _ublkts_flags "--json --debug --no-color"; else :; fi ;;
    "quiesce") if [[ $current == -* ]]; then _ublkts_flags "--json --debug --no-color --number --timeout_ms"; else _ublkts_devices; fi ;;
    "recover") if [[ $current == -* ]]; then _ublkts_flags "--json --debug --no-color --type --number --all --queues --depth --max_io_buf_bytes --zero_copy --auto_zc --user_copy --get_data --batch --shmem_zc --recovery --recovery_reissue --recovery_fail_io --no_auto_part_scan --zoned --io_desc_size --auto_zc_fallback --data_path --rotate_auto_buf --htlb --rdonly_shmem_buf --nthreads --cpus --per_io_tasks --no_ublk_fixed_fd --metadata_size --integrity_capable --integrity_reftag --pi_offset --csum_type --tag_size --size --chunk_size --delay_us --die_during_fetch --offset --sizelimit --read_only --buffered_io --logical_block_size --no_discard --uri --program --export --directory --reconnect_delay --request_timeout --tls_certificates --tls_psk_file --tls_hostname --tls_verify_peer --structured_replies --share --target_option --foreground --server --mlock --quiet --debug_mask --format"; else _ublkts_files; fi ;;
    "reg-buf"|"reg_buf") if [[ $current == -* ]]; then _ublkts_flags "--json --debug --no-color --number --htlb --file --rdonly_shmem_buf --memfd --seal"; else _ublkts_files; fi ;;
    "serve") if [[ $current == -* ]]; then _ublkts_flags "--json --debug --no-color --name --threads --cpus --foreground"; else :; fi ;;
    "set_affinity"|"set-affinity") if [[ $current == -* ]]; then _ublkts_flags "--json --debug --no-color --number --queue --cpus"; else _ublkts_devices; fi ;;
    "set_params"|"set-params") if [[ $current == -* ]]; then _ublkts_flags "--json --debug --no-color --zero_copy --auto_zc --user_copy --get_data --batch --shmem_zc --recovery --recovery_reissue --recovery_fail_io --no_auto_part_scan --zoned --io_desc_size --number --queues --depth --param_types --logical_bs_shift --physical_bs_shift --io_min_shift --io_opt_shift --max_sectors --chunk_sectors --dev_sectors --max_zone_append_sectors --max_open_zones --max_active_zones"; else :; fi ;;
    "stop") if [[ $current == -* ]]; then _ublkts_flags "--json --debug --no-color --number --safe --force"; else _ublkts_devices; fi ;;
    "target check") if [[ $current == -* ]]; then _ublkts_flags "--json --debug --no-color --target_option --read_only --lab"; else _ublkts_files; fi ;;
    "target new") if [[ $current == -* ]]; then _ublkts_flags "--json --debug --no-color --async"; else :; fi ;;
    "unreg-buf"|"unreg_buf") if [[ $current == -* ]]; then _ublkts_flags "--json --debug --no-color --number --index --all"; else :; fi ;;
    "update_size"|"update-size") if [[ $current == -* ]]; then _ublkts_flags "--json --debug --no-color --number --size --grow --force"; else _ublkts_devices; fi ;;
  esac
}

complete -F _ublkts ublkts
