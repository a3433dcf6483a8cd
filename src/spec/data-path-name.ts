/** How the data of a request that matches no registered buffer travels: one file each in queue/data-path/. */
export type DataPathName = 'copy' | 'get_data' | 'user_copy' | 'zero_copy' | 'auto_zc' | 'auto_zc_fallback';
