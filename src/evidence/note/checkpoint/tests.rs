use super::*;
use crate::evidence::note::KeyError;

const ID: &str = "5b3c9a52-0c5e-4c58-9a3c-0f5c3fb0d1a7";
/// The root over no leaves, as good as any.
const ROOT: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

fn key(restart: i32, seed: u8) -> SignerKey {
    let origin = Origin::new(ID.parse().unwrap(), restart).unwrap();
    SignerKey::of_seed(origin, &[seed; 32]).unwrap()
}

fn checkpoint() -> Checkpoint {
    let origin = key(0, 1).verifier().origin();
    Checkpoint { origin, size: 1024, root: STANDARD.decode(ROOT).unwrap().try_into().unwrap() }
}

/// A text that this key signed, whatever it says.
fn signed(text: &str, key: &SignerKey) -> String {
    format!("{text}\n{}", key.signature_line(text).unwrap())
}

fn verify(note: &str) -> Result<Checkpoint, NoteError> {
    Checkpoint::verify(note.as_bytes(), key(0, 1).verifier())
}

/// From the documentation of Go's note package, whose keys and notes these are.
#[test]
fn the_notes_of_gos_package_are_read_and_its_keys_have_its_ids() {
    let line = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
    let text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
    let read = format!("{text}\n{line}");
    let note = Note::read(read.as_bytes()).unwrap();
    assert_eq!((note.text, note.signatures.len()), (text, 1));
    assert_eq!(note.signatures[0].id(), 0xc74f_20a3);
    let other = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    let refused = other.parse::<VerifierKey>().unwrap_err();
    assert_eq!(refused, KeyError::Name("PeterNeumann".to_owned()));
}

#[test]
fn what_a_key_signed_is_verified_with_its_public_half() {
    let note = checkpoint().sign(&key(0, 1)).unwrap();
    assert!(note.starts_with(&format!("audit/{ID}\n1024\n{ROOT}\n\n— audit/{ID} ")));
    assert_eq!(verify(&note), Ok(checkpoint()));
    assert_eq!(Checkpoint::read_unverified(note.as_bytes()), Ok(checkpoint()));
    // Both texts of a key give it again.
    let read: SignerKey = key(0, 1).secret_text().parse().unwrap();
    assert_eq!(checkpoint().sign(&read).unwrap(), note);
    let public: VerifierKey = key(0, 1).verifier().to_string().parse().unwrap();
    assert_eq!(Checkpoint::verify(note.as_bytes(), &public), Ok(checkpoint()));
}

#[test]
fn a_checkpoint_of_another_log_or_of_no_leaves_is_not_signed() {
    let found = key(0, 1).verifier().origin();
    let expected = key(1, 1).verifier().origin();
    assert_eq!(checkpoint().sign(&key(1, 1)), Err(NoteError::OtherOrigin { found, expected }));
    for size in [0, 1 << 63, u64::MAX] {
        let refused = Checkpoint { size, ..checkpoint() }.sign(&key(0, 1));
        assert_eq!(refused, Err(NoteError::Size), "{size}");
    }
}

#[test]
fn lines_of_other_keys_are_ignored_but_not_a_false_one_in_the_keys_own_name() {
    let text = checkpoint().text();
    let ours = key(0, 1).signature_line(&text).unwrap();
    // Another key of the same name has another id; and a witness.
    let others = key(0, 2).signature_line(&text).unwrap();
    let witness = "— witness.example/w1 AAAAAAAAAAAAAAAA\n";
    assert_eq!(verify(&format!("{text}\n{others}{witness}{ours}")), Ok(checkpoint()));
    assert_eq!(verify(&format!("{text}\n{ours}{ours}")), Ok(checkpoint()));
    let false_one = key(0, 1).signature_line("another text\n").unwrap();
    let wrong = NoteError::WrongSignature(key(0, 1).verifier().origin());
    for lines in [format!("{ours}{false_one}"), format!("{false_one}{ours}"), false_one] {
        assert_eq!(verify(&format!("{text}\n{lines}")), Err(wrong.clone()));
    }
    let unknown = NoteError::OtherKeys(key(0, 1).verifier().short_name());
    for lines in [witness, &others] {
        assert_eq!(verify(&format!("{text}\n{lines}")), Err(unknown.clone()));
    }
}

#[test]
fn the_checkpoint_of_another_log_is_refused_whoever_signed_it() {
    let expected = key(0, 1).verifier().origin();
    let found = key(1, 1).verifier().origin();
    let other = Checkpoint { origin: found, ..checkpoint() };
    // The right key signed the text of another log; the other log's key signed it.
    for note in [signed(&other.text(), &key(0, 1)), signed(&other.text(), &key(1, 1))] {
        assert_eq!(verify(&note), Err(NoteError::OtherOrigin { found, expected }));
    }
}

#[test]
fn a_text_that_is_not_exactly_three_lines_of_a_checkpoint_is_refused_though_it_is_signed() {
    let refused = |text: String| verify(&signed(&text, &key(0, 1))).unwrap_err();
    let origin = format!("audit/{ID}");
    assert_eq!(refused(format!("{origin}\n1024\n")), NoteError::LineCount(2));
    assert_eq!(refused(format!("{origin}\n1024\n{ROOT}\nextension\n")), NoteError::LineCount(4));
    assert_eq!(refused(format!("{origin}\n1024\n{ROOT}\n\nmore\n")), NoteError::LineCount(5));
    assert_eq!(refused(format!("\n{origin}\n1024\n{ROOT}\n")), NoteError::LineCount(4));
    assert_eq!(refused("\n".to_owned()), NoteError::LineCount(1));
    for origin in ["", "audit/", "x", &origin.to_uppercase(), &format!("{origin} ")] {
        assert_eq!(refused(format!("{origin}\n1024\n{ROOT}\n")), NoteError::Origin, "{origin}");
    }
    let large = "9223372036854775808";
    for size in ["", "0", "00", "01024", "+1024", "-1", "1024 ", "1e3", "0x10", "１", large] {
        assert_eq!(refused(format!("{origin}\n{size}\n{ROOT}\n")), NoteError::Size, "{size}");
    }
    for root in [
        "",
        "AAAA",
        &ROOT[..43],
        &format!("{ROOT}="),
        &format!(" {ROOT}"),
        // The same bytes with other bits where none are.
        &ROOT.replace("U=", "V="),
        &ROOT.replace('+', "-"),
        &STANDARD.encode([0; 33]),
    ] {
        assert_eq!(refused(format!("{origin}\n1024\n{root}\n")), NoteError::Root, "{root}");
    }
}

#[test]
fn a_note_of_another_form_is_refused() {
    let note = checkpoint().sign(&key(0, 1)).unwrap();
    let lines: Vec<&str> = note.lines().collect();
    for (broken, reason) in [
        (String::new(), NoteError::Unsigned),
        (checkpoint().text(), NoteError::Unsigned),
        (note.replace("\n\n", "\n"), NoteError::Unsigned),
        (format!("{}\n", checkpoint().text()), NoteError::NotSignatures),
        (note.trim_end().to_owned(), NoteError::NotSignatures),
        (format!("{note}\n"), NoteError::NotSignatures),
        (format!("{note}more\n"), NoteError::NotSignatures),
        (format!("{note} "), NoteError::NotSignatures),
        (note.replace('—', "-"), NoteError::NotSignatures),
        (note.replace("— ", "—  "), NoteError::NotSignatures),
        (note.replace(lines[4], &format!("{} ", lines[4])), NoteError::NotSignatures),
        (note.replace(lines[4], &lines[4].replace('=', "")), NoteError::NotSignatures),
        (note.replace('\n', "\r\n"), NoteError::ControlCharacters),
        (note.replace("1024", "1024\0"), NoteError::ControlCharacters),
        (format!("{note}{}", "— w AAAAAAAA\n".repeat(100)), NoteError::TooManySignatures),
        (format!("{}{note}", "a".repeat(1_000_000)), NoteError::TooLong),
    ] {
        assert_eq!(verify(&broken), Err(reason.clone()), "{broken:.300}");
        assert!(Checkpoint::read_unverified(broken.as_bytes()).is_err());
    }
    let not_utf8 = [note.as_bytes(), b"\xff"].concat();
    let refused = Checkpoint::verify(&not_utf8, key(0, 1).verifier());
    assert_eq!(refused, Err(NoteError::NotUtf8));
    assert!(verify(&format!("{note}{}", "— w AAAAAAAA\n".repeat(99))).is_ok());
}

#[test]
fn no_change_of_one_byte_of_a_note_is_accepted() {
    let note = checkpoint().sign(&key(0, 1)).unwrap().into_bytes();
    for place in 0..note.len() {
        for change in [1, 2, 4, 8, 16, 32, 64, 128] {
            let mut changed = note.clone();
            changed[place] ^= change;
            let read = Checkpoint::verify(&changed, key(0, 1).verifier());
            assert!(read.is_err(), "bit {change} of byte {place}");
        }
        assert!(Checkpoint::verify(&note[..place], key(0, 1).verifier()).is_err(), "{place}");
    }
}

#[test]
fn what_is_no_key_is_refused_with_its_reason_and_never_shown() {
    let secret = key(0, 1).secret_text().to_owned();
    let public = key(0, 1).verifier().to_string();
    let last = secret.rsplit_once('+').unwrap().1.to_owned();
    let refused = |text: &str| text.parse::<VerifierKey>().unwrap_err();
    assert_eq!(refused(&secret), KeyError::IsSecret);
    let form = KeyError::VerifierForm;
    for text in ["", "x", "audit+00000000", &public.replacen('+', "-", 1), &public.to_uppercase()] {
        assert_eq!(refused(text), form, "{text}");
    }
    assert_eq!(refused(&format!("{public}=")), KeyError::Base64);
    assert_eq!(refused(&format!("{public} ")), KeyError::Base64);
    assert_eq!(refused(&format!("audit/{ID}+00000000+AQID")), KeyError::Algorithm);
    let (name, id) = (format!("audit/{ID}"), &public[43..51]);
    assert_eq!(refused(&public.replace(id, "00000000")), KeyError::Id);
    assert_eq!(refused(&public.replace(&name, &format!("{name}/1"))), KeyError::Id);
    let other = KeyError::Name("log.example".to_owned());
    assert_eq!(refused(&public.replace(&name, "log.example")), other);

    let refused = |text: &str| text.parse::<SignerKey>().unwrap_err();
    assert_eq!(refused(&public), KeyError::SignerForm);
    assert_eq!(refused(&format!("{secret}=")), KeyError::SignerForm);
    assert_eq!(refused(&secret.replace(&name, &format!("{name}/1"))), KeyError::Id);
    assert_eq!(refused(&format!("PRIVATE+KEY+{name}+00000000+AgAA")), KeyError::Algorithm);
    let shown = format!("{:?}", key(0, 1));
    assert!(shown.contains(&name) && !shown.contains(&last), "{shown}");
}
