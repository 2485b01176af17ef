//! Makes certificates: an authority, and what it vouches for.

use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509Builder, X509Name, X509NameBuilder};

/// Vouches for others by its certificate.
pub(crate) struct Authority {
    key: PKey<Private>,
    certificate: X509,
}

/// A certificate and its key, as PEM.
pub(crate) struct Identity {
    pub(crate) certificate: Vec<u8>,
    pub(crate) key: Vec<u8>,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        made((|| {
            let key = new_key()?;
            let name = common_name(name)?;
            let mut builder = builder(&name, &key)?;
            builder.set_issuer_name(&name)?;
            builder.append_extension(BasicConstraints::new().critical().ca().build()?)?;
            builder.sign(&key, MessageDigest::sha256())?;
            Ok(Self { key, certificate: builder.build() })
        })())
    }

    /// Its certificate, as PEM.
    pub(crate) fn certificate(&self) -> Vec<u8> {
        made(self.certificate.to_pem())
    }

    /// A certificate of that name, for a host or for nobody's.
    pub(crate) fn issue(&self, name: &str, host: Option<&str>) -> Identity {
        made((|| {
            let key = new_key()?;
            let mut builder = builder(&common_name(name)?, &key)?;
            builder.set_issuer_name(self.certificate.subject_name())?;
            if let Some(host) = host {
                let context = builder.x509v3_context(Some(&self.certificate), None);
                let extension = SubjectAlternativeName::new().dns(host).build(&context)?;
                builder.append_extension(extension)?;
            }
            builder.sign(&self.key, MessageDigest::sha256())?;
            Ok(Identity {
                certificate: builder.build().to_pem()?,
                key: key.private_key_to_pem_pkcs8()?,
            })
        })())
    }
}

fn made<T>(result: Result<T, ErrorStack>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("no certificate: {error}"),
    }
}

fn new_key() -> Result<PKey<Private>, ErrorStack> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    PKey::from_ec_key(EcKey::generate(&group)?)
}

fn common_name(name: &str) -> Result<X509Name, ErrorStack> {
    let mut builder = X509NameBuilder::new()?;
    builder.append_entry_by_text("CN", name)?;
    Ok(builder.build())
}

/// What all certificates have in common. They are good for two days around now.
fn builder(name: &X509Name, key: &PKey<Private>) -> Result<X509Builder, ErrorStack> {
    let mut builder = X509::builder()?;
    builder.set_version(2)?;
    let mut serial = BigNum::new()?;
    serial.rand(120, MsbOption::MAYBE_ZERO, false)?;
    builder.set_serial_number(&*serial.to_asn1_integer()?)?;
    builder.set_subject_name(name)?;
    builder.set_pubkey(key)?;
    builder.set_not_before(&*Asn1Time::days_from_now(0)?)?;
    builder.set_not_after(&*Asn1Time::days_from_now(2)?)?;
    Ok(builder)
}
