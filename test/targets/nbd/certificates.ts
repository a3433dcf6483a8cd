/**
 * Makes X.509 certificates for tests, in folders as nbdkit, qemu and libnbd want them. A machine that runs the tests need
 * not have a program for that.
 */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Authority {
  readonly folder: string;
  readonly name: string;
  readonly key: KeyObject;
}

export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** Makes an authority and its folder, which has ca-cert.pem then. */
export function makeAuthority(folder: string, name: string): Authority {
  mkdirSync(folder);
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const cert = encode({ issuer: name, subject: name, publicKey, signer: privateKey, extensions: [IS_AUTHORITY] });
  writeFileSync(join(folder, 'ca-cert.pem'), cert);
  return { folder, name, key: privateKey };
}

/** A certificate for the host `name`. */
export function makeCertificate({ name: issuer, key: signer }: Authority, name: string): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const cert = encode({ issuer, subject: name, publicKey, signer, extensions: [namesHost(name)] });
  return { cert, key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string };
}

/** Writes it as `server-cert.pem` and `server-key.pem`, or those of the client. */
export function writeCertificate(folder: string, side: 'server' | 'client', { cert, key }: Certificate): void {
  writeFileSync(join(folder, `${side}-cert.pem`), cert);
  writeFileSync(join(folder, `${side}-key.pem`), key);
}

interface Contents {
  readonly issuer: string;
  readonly subject: string;
  readonly publicKey: KeyObject;
  readonly signer: KeyObject;
  readonly extensions: readonly Buffer[];
}

// DER (X.690) and RFC 5280.
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;
const SEQUENCE = 0x30;
const SET = 0x31;
const VERSION = 0xa0;
const EXTENSIONS = 0xa3;
const DNS_NAME = 0x82;

const ECDSA_WITH_SHA256 = der(SEQUENCE, Buffer.from('06082a8648ce3d040302', 'hex'));
const COMMON_NAME = Buffer.from('0603550403', 'hex');
const SUBJECT_ALT_NAME = Buffer.from('0603551d11', 'hex');
const BASIC_CONSTRAINTS = Buffer.from('0603551d13', 'hex');
const TRUE = Buffer.from('0101ff', 'hex');
const IS_AUTHORITY = der(SEQUENCE, BASIC_CONSTRAINTS, TRUE, der(OCTET_STRING, der(SEQUENCE, TRUE)));
const DAY_MS = 86_400_000;

let serial = 1;

function encode({ issuer, subject, publicKey, signer, extensions }: Contents): string {
  const now = Date.now();
  const body = der(
    SEQUENCE,
    der(VERSION, der(INTEGER, Buffer.of(2))),
    der(INTEGER, Buffer.of(serial++)),
    ECDSA_WITH_SHA256,
    nameOf(issuer),
    der(SEQUENCE, timeOf(now - DAY_MS), timeOf(now + DAY_MS)),
    nameOf(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(EXTENSIONS, der(SEQUENCE, ...extensions)),
  );
  const signature = der(BIT_STRING, Buffer.of(0), sign('sha256', body, signer));
  const text = der(SEQUENCE, body, ECDSA_WITH_SHA256, signature).toString('base64');
  return `-----BEGIN CERTIFICATE-----\n${text.replaceAll(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
}

function nameOf(name: string): Buffer {
  return der(SEQUENCE, der(SET, der(SEQUENCE, COMMON_NAME, der(UTF8_STRING, Buffer.from(name)))));
}

function namesHost(name: string): Buffer {
  return der(SEQUENCE, SUBJECT_ALT_NAME, der(OCTET_STRING, der(SEQUENCE, der(DNS_NAME, Buffer.from(name)))));
}

/** YYMMDDHHMMSSZ. */
function timeOf(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replaceAll(/\D/g, '').slice(2, 14);
  return der(UTC_TIME, Buffer.from(`${digits}Z`));
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...size), content]);
}
